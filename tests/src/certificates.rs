//! Keys, certificates and stores for tests of TLS, made by openssl in a folder of their own.
//!
//! `ca` issues what is trusted, `foreign` what is not. A store is a PKCS#12 file with the password
//! [`PASSWORD`]; who is trusted stands in `trust.pem`.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Of every store.
pub const PASSWORD: &str = "secret1";

/// A folder of certificates.
#[derive(Debug)]
pub struct Certificates {
    folder: PathBuf,
}

/// What is said of one certificate.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// The file's name, without ending.
    pub name: &'a str,
    /// `/CN=…/O=…`, first to last.
    pub subject: &'a str,
    /// An extension subjectAltName; without one the certificate is of the first version.
    pub hosts: Option<&'a str>,
    pub issuer: &'a str,
    pub days: i32,
}

impl Certificates {
    /// Makes two authorities, and the stores of `localhost` and of a client.
    ///
    /// # Panics
    /// When openssl fails.
    #[must_use]
    pub fn make(folder: &Path) -> Self {
        std::fs::create_dir_all(folder).expect("a folder");
        let all = Self { folder: folder.to_path_buf() };
        for (name, subject) in [("ca", "/O=Gregor/CN=ca"), ("foreign", "/O=Foreign/CN=ca")] {
            all.openssl(&format!(
                "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout {name}.key \
                 -out {name}.pem -days 30 -subj {subject}"
            ));
        }
        std::fs::copy(all.path("ca.pem"), all.path("trust.pem")).expect("a copy");
        all.issue(Asked::of_server("server"));
        all.issue(Asked::of_client("client", "/O=Gregor/OU=Tests/CN=client"));
        all
    }

    /// A key, its certificate and the store of both, over those of the same name.
    pub fn issue(&self, asked: Asked<'_>) {
        let Asked { name, subject, hosts, issuer, days } = asked;
        self.openssl(&format!(
            "req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout {name}.key -out \
             {name}.csr -subj {subject}"
        ));
        let extensions = hosts.map_or_else(String::new, |hosts| {
            let text = format!("subjectAltName={hosts}\nbasicConstraints=CA:FALSE\n");
            std::fs::write(self.path("extensions"), text).expect("a file");
            "-extfile extensions".to_owned()
        });
        self.openssl(&format!(
            "x509 -req -in {name}.csr -CA {issuer}.pem -CAkey {issuer}.key -CAcreateserial -days \
             {days} -out {name}.pem {extensions}"
        ));
        self.openssl(&format!(
            "pkcs12 -export -inkey {name}.key -in {name}.pem -certfile {issuer}.pem -name {name} \
             -passout pass:{PASSWORD} -out {name}.p12"
        ));
    }

    fn openssl(&self, line: &str) {
        let mut openssl = Command::new("openssl");
        let ran = openssl.args(line.split_whitespace()).current_dir(&self.folder).output();
        let ran = ran.expect("openssl runs");
        assert!(ran.status.success(), "openssl {line}: {}", String::from_utf8_lossy(&ran.stderr));
    }

    #[must_use]
    pub fn path(&self, file: &str) -> PathBuf {
        self.folder.join(file)
    }

    /// `ssl.*` lines of a store and of who is trusted, behind a prefix.
    #[must_use]
    pub fn lines(&self, prefix: &str, store: Option<&str>, trusted: &str) -> Vec<String> {
        let mut lines = vec![
            format!("{prefix}ssl.truststore.type=PEM"),
            format!("{prefix}ssl.truststore.location={}", self.path(trusted).display()),
        ];
        if let Some(store) = store {
            let path = self.path(&format!("{store}.p12"));
            lines.push(format!("{prefix}ssl.keystore.type=PKCS12"));
            lines.push(format!("{prefix}ssl.keystore.location={}", path.display()));
            lines.push(format!("{prefix}ssl.keystore.password={PASSWORD}"));
        }
        lines
    }

    /// A client's properties file.
    ///
    /// # Panics
    /// When it cannot be written.
    #[must_use]
    pub fn client_file(&self, name: &str, store: Option<&str>, trusted: &str) -> PathBuf {
        let mut lines = self.lines("", store, trusted);
        lines.push("security.protocol=SSL".to_owned());
        let path = self.path(&format!("{name}.properties"));
        std::fs::write(&path, lines.join("\n") + "\n").expect("a file");
        path
    }
}

impl<'a> Asked<'a> {
    /// This machine, trusted for a month.
    #[must_use]
    pub fn of_server(name: &'a str) -> Self {
        let hosts = Some("DNS:localhost,IP:127.0.0.1");
        Self { name, subject: "/O=Gregor/CN=server", hosts, issuer: "ca", days: 30 }
    }

    /// Somebody, as old openssl made certificates: of the first version.
    #[must_use]
    pub fn of_client(name: &'a str, subject: &'a str) -> Self {
        Self { name, subject, hosts: None, issuer: "ca", days: 30 }
    }
}
