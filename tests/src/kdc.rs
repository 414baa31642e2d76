//! A Kerberos KDC (MIT's) on a free port, with principals, their keytabs and a krb5.conf.

use std::io::Read as _;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The realm that it serves.
pub const REALM: &str = "GREGOR.TEST";

/// A running KDC and its folder; it ends with the test.
#[derive(Debug)]
pub struct Kdc {
    process: Child,
    folder: PathBuf,
}

impl Kdc {
    /// Starts one in a folder that is there.
    ///
    /// # Panics
    /// Where MIT's programs are not installed (Debian: krb5-kdc, krb5-admin-server, krb5-user).
    #[must_use]
    pub fn start(folder: &Path) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("its address").port();
        let folder = folder.to_path_buf();
        let at = folder.display();
        let conf = format!(
            "[libdefaults]\ndefault_realm = {REALM}\ndns_lookup_kdc = false\n\
             dns_lookup_realm = false\nrdns = false\ndns_canonicalize_hostname = false\n\
             qualify_shortname = \"\"\nudp_preference_limit = 1\n\
             [realms]\n{REALM} = {{\n kdc = 127.0.0.1:{port}\n}}\n\
             [domain_realm]\nlocalhost = {REALM}\n"
        );
        let kdc = format!(
            "[kdcdefaults]\nkdc_ports = \"\"\nkdc_tcp_listen = 127.0.0.1:{port}\n\
             [realms]\n{REALM} = {{\n database_name = {at}/principals\n\
             key_stash_file = {at}/stash\n acl_file = {at}/acl\n}}\n"
        );
        std::fs::write(folder.join("krb5.conf"), conf).expect("written");
        std::fs::write(folder.join("kdc.conf"), kdc).expect("written");
        run(&folder, "kdb5_util", &["create", "-s", "-r", REALM, "-P", "master"]);
        drop(listener);
        let process = command(&folder, "krb5kdc")
            .arg("-n")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("krb5kdc starts");
        let kdc = Self { process, folder };
        let deadline = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < deadline, "the KDC does not answer");
            std::thread::sleep(Duration::from_millis(20));
        }
        kdc
    }

    /// Makes a principal with a key that stands in a keytab of this name.
    pub fn add(&self, principal: &str, keytab: &str) {
        let keytab = self.folder.join(keytab).display().to_string();
        run(&self.folder, "kadmin.local", &["-q", &format!("addprinc -randkey {principal}")]);
        run(&self.folder, "kadmin.local", &["-q", &format!("ktadd -k {keytab} {principal}")]);
    }

    #[must_use]
    pub fn krb5_conf(&self) -> PathBuf {
        self.folder.join("krb5.conf")
    }
}

impl Drop for Kdc {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn command(folder: &Path, program: &str) -> Command {
    // They stand where Debian's users do not look.
    let path = std::env::var("PATH").unwrap_or_default();
    let mut command = Command::new("env");
    command
        .arg(format!("PATH={path}:/usr/sbin"))
        .arg(program)
        .env("KRB5_CONFIG", folder.join("krb5.conf"))
        .env("KRB5_KDC_PROFILE", folder.join("kdc.conf"));
    command
}

fn run(folder: &Path, program: &str, args: &[&str]) {
    let mut process = command(folder, program)
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("env starts");
    let mut said = String::new();
    let mut stderr = process.stderr.take().expect("it is piped");
    stderr.read_to_string(&mut said).expect("it is text");
    let status = process.wait().expect("it ends");
    assert!(status.success(), "{program} {args:?}: {said}");
}
