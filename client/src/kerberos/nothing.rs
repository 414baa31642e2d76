//! A program without the feature `gssapi`: GSSAPI is refused long before anybody asks here.

use security::sasl::gssapi::{GssError, SecurityContext};
use security::sasl::kerberos::KerberosLogin;

pub fn accept(_: &KerberosLogin) -> Result<Box<dyn SecurityContext>, GssError> {
    Err(not_built())
}

pub fn initiate(_: &KerberosLogin, _: &str) -> Result<Box<dyn SecurityContext>, GssError> {
    Err(not_built())
}

pub fn default_realm() -> String {
    String::new()
}

fn not_built() -> GssError {
    GssError::new("this program was built without the feature gssapi")
}
