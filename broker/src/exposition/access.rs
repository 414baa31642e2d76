//! Who may read what a node shows: decided by how its bytes pass, and whether an authorizer says
//! who may do what.
//!
//! ```text
//!                   no authorizer     authorizer
//! http                everything       metrics; the page is off
//! https               everything       after a login, who may describe the cluster
//! health, in every case: up or not
//! ```

use super::page::File;

/// What a path stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    Health,
    Readiness,
    Metrics,
    File(File),
    Overview,
    Topics,
    Topic,
    Groups,
    Group,
}

impl Asked {
    /// By the path of a request.
    pub(super) fn of(path: &str) -> Option<Self> {
        Some(match path {
            "/healthz" => Self::Health,
            "/readyz" => Self::Readiness,
            "/metrics" => Self::Metrics,
            "/api/overview" => Self::Overview,
            "/api/topics" => Self::Topics,
            "/api/topic" => Self::Topic,
            "/api/groups" => Self::Groups,
            "/api/group" => Self::Group,
            other => Self::File(File::at(other)?),
        })
    }

    pub(super) fn is_page(self) -> bool {
        !matches!(self, Self::Health | Self::Readiness | Self::Metrics)
    }
}

/// What comes before an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Answer,
    LogIn,
    Off,
}

/// Who may read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    /// Whoever reaches the address.
    Everybody,
    /// Who logs in and may describe the cluster.
    Described,
    /// Whoever reaches the address reads metrics; nobody could log in without showing his password.
    MetricsAlone,
}

impl Access {
    pub(super) fn of(is_encrypted: bool, has_authorizer: bool) -> Self {
        match (is_encrypted, has_authorizer) {
            (_, false) => Self::Everybody,
            (true, true) => Self::Described,
            (false, true) => Self::MetricsAlone,
        }
    }

    pub(super) fn judge(self, asked: Asked) -> Verdict {
        match (self, asked) {
            (_, Asked::Health | Asked::Readiness) | (Self::Everybody, _) => Verdict::Answer,
            (Self::Described, _) => Verdict::LogIn,
            (Self::MetricsAlone, Asked::Metrics) => Verdict::Answer,
            (Self::MetricsAlone, _) => Verdict::Off,
        }
    }
}

/// Whether a browser on this machine may have been sent here by somebody else's page, whose name
/// was made to lead to this machine: then the name is neither this machine's nor an address.
pub(super) fn is_foreign_name(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let address = name.trim_start_matches('[').trim_end_matches(']');
    let is_local = name.eq_ignore_ascii_case("localhost") || name.ends_with(".localhost");
    !is_local && address.parse::<std::net::IpAddr>().is_err()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_with_an_authorizer_shows_names_only_to_who_may_see_them() {
        use Verdict::{Answer, LogIn, Off};
        let paths = ["/healthz", "/readyz", "/metrics", "/", "/page.js", "/api/groups"];
        for (is_encrypted, has_authorizer, expected) in [
            (false, false, [Answer; 6]),
            (true, false, [Answer; 6]),
            (true, true, [Answer, Answer, LogIn, LogIn, LogIn, LogIn]),
            (false, true, [Answer, Answer, Answer, Off, Off, Off]),
        ] {
            let access = Access::of(is_encrypted, has_authorizer);
            let found = paths.map(|path| access.judge(Asked::of(path).unwrap()));
            assert_eq!(found, expected, "{access:?}");
        }
        for nothing in ["", "/x", "/metrics/", "/api", "//", "/../page.js"] {
            assert_eq!(Asked::of(nothing), None, "{nothing}");
        }
    }

    #[test]
    fn a_name_of_somebody_elses_is_told_from_this_machines() {
        for own in
            ["localhost", "localhost:9404", "127.0.0.1:9404", "[::1]:9404", "[::1]", "a.localhost"]
        {
            assert!(!is_foreign_name(own), "{own}");
        }
        for foreign in ["evil.example", "evil.example:9404", "127.0.0.1.evil.example", "", "a"] {
            assert!(is_foreign_name(foreign), "{foreign}");
        }
    }
}
