//! The quotas of one kind that stand, and which of them is somebody's.
//!
//! The most specific one counts:
//!
//! ```text
//! user + client id, user + any client id, user,
//! any user + client id, any user + any client id, any user, client id, any client id
//! ```
//! One with a client id in it is an account of its own for each client id, also where it stands for
//! any; one of a user is shared by all that he runs. A quota for any is each one's own, not one for
//! all together.
//!
//! Answers to `ClientQuotaManager.DefaultQuotaCallback`, whose optimisation for quotas of one level
//! can be seen: who has no quota there still has the account of that level.

use std::collections::HashMap;

/// Whom one part of a quota is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Name<'a> {
    Named(&'a str),
    /// Everybody who is not named.
    Default,
}

/// With whom somebody shares what he may; empty where it does not matter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Account<'a> {
    pub user: &'a str,
    pub client_id: &'a str,
    /// What the account may; `None` where nothing bounds it.
    pub bound: Option<f64>,
}

/// The quotas of client ids: of everybody, or of one user.
#[derive(Debug, Clone, Default, PartialEq)]
struct OfClients {
    named: HashMap<Box<str>, f64>,
    default: Option<f64>,
}

#[derive(Debug, Clone, Default, PartialEq)]
struct OfUser {
    own: Option<f64>,
    clients: OfClients,
}

/// The quotas that stand.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Limits {
    users: HashMap<Box<str>, OfUser>,
    default_user: OfUser,
    clients: OfClients,
    has_users: bool,
    has_clients: bool,
    has_clients_of_users: bool,
}

impl Limits {
    /// A quota stands; one that names nobody is none.
    pub fn set(&mut self, user: Option<Name<'_>>, client_id: Option<Name<'_>>, bound: f64) {
        let of_user = match user {
            Some(Name::Named(user)) => Some(self.users.entry(user.into()).or_default()),
            Some(Name::Default) => Some(&mut self.default_user),
            None => None,
        };
        match (of_user, client_id) {
            (Some(of_user), Some(client_id)) => {
                of_user.clients.set(client_id, bound);
                self.has_clients_of_users = true;
            }
            (Some(of_user), None) => {
                of_user.own = Some(bound);
                self.has_users = true;
            }
            (None, Some(client_id)) => {
                self.clients.set(client_id, bound);
                self.has_clients = true;
            }
            (None, None) => {}
        }
    }

    /// Whether nobody has a quota.
    pub fn is_empty(&self) -> bool {
        !(self.has_users || self.has_clients || self.has_clients_of_users)
    }

    /// Whose account somebody's is.
    pub fn account<'a>(&self, user: &'a str, client_id: &'a str) -> Account<'a> {
        let (of_user, of_client) = match (self.has_clients_of_users, self.has_users) {
            (false, false) => (false, true),
            (false, true) if !self.has_clients => (true, false),
            (true, false) if !self.has_clients => (true, true),
            _ => self.most_specific(user, client_id),
        };
        let user = if of_user { user } else { "" };
        let client_id = if of_client { client_id } else { "" };
        Account { user, client_id, bound: self.bound(user, client_id) }
    }

    /// Whether the account is the user's, and whether it is the client id's.
    fn most_specific(&self, user: &str, client_id: &str) -> (bool, bool) {
        let named = self.users.get(user);
        for of_user in named.into_iter().chain([&self.default_user]) {
            if of_user.clients.find(client_id).is_some() {
                return (true, true);
            }
            if of_user.own.is_some() {
                return (true, false);
            }
        }
        (false, true)
    }

    fn bound(&self, user: &str, client_id: &str) -> Option<f64> {
        let users = || self.users.get(user).into_iter().chain([&self.default_user]);
        match (user.is_empty(), client_id.is_empty()) {
            (false, false) => users().find_map(|of_user| of_user.clients.find(client_id)),
            (false, true) => users().find_map(|of_user| of_user.own),
            (true, false) => self.clients.find(client_id),
            (true, true) => None,
        }
    }
}

impl OfClients {
    fn set(&mut self, client_id: Name<'_>, bound: f64) {
        match client_id {
            Name::Named(client_id) => drop(self.named.insert(client_id.into(), bound)),
            Name::Default => self.default = Some(bound),
        }
    }

    fn find(&self, client_id: &str) -> Option<f64> {
        self.named.get(client_id).copied().or(self.default)
    }
}
