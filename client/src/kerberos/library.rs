//! Contexts of libgssapi, as MIT's Kerberos has it.

use libgssapi::context::{ClientCtx, CtxFlags, SecurityContext as _, ServerCtx};
use libgssapi::credential::{Cred, CredUsage};
use libgssapi::error::Error;
use libgssapi::name::Name;
use libgssapi::oid::{
    GSS_MECH_KRB5, GSS_NT_HOSTBASED_SERVICE, GSS_NT_KRB5_PRINCIPAL, GSS_NT_USER_NAME, OidSet,
};
use security::sasl::gssapi::{GssError, SecurityContext};
use security::sasl::kerberos::KerberosLogin;

/// What Kafka takes for gone at the next try (`KerberosError`), of RFC 4120, 7.5.9: a client or a
/// ticket that is not yet valid, a replay.
const RETRIABLE: [i32; 3] = [21, 33, 34];
/// The first of the codes of RFC 4120 as the library counts them.
const FIRST_CODE: i32 = -1_765_328_384;

enum Context {
    Acceptor(ServerCtx),
    Initiator(ClientCtx),
}

/// The context of a listener for somebody who comes.
pub fn accept(login: &KerberosLogin) -> Result<Box<dyn SecurityContext>, GssError> {
    let credential = credential(login, CredUsage::Accept)?;
    Ok(Box::new(Context::Acceptor(ServerCtx::new(Some(credential)))))
}

/// The context of somebody who logs in at a service of this host.
pub fn initiate(login: &KerberosLogin, host: &str) -> Result<Box<dyn SecurityContext>, GssError> {
    let credential = credential(login, CredUsage::Initiate)?;
    let service = format!("{}@{host}", login.service_name);
    let target = Name::new(service.as_bytes(), Some(GSS_NT_HOSTBASED_SERVICE)).map_err(failed)?;
    let flags = CtxFlags::GSS_C_MUTUAL_FLAG | CtxFlags::GSS_C_INTEG_FLAG;
    let context = ClientCtx::new(Some(credential), target, flags, Some(GSS_MECH_KRB5));
    Ok(Box::new(Context::Initiator(context)))
}

/// The realm of names that have none; empty where the library's file names none.
pub fn default_realm() -> String {
    let name = Name::new(b"tmp", Some(GSS_NT_USER_NAME));
    let full = name.and_then(|name| name.canonicalize(Some(GSS_MECH_KRB5)));
    let Ok(full) = full.and_then(|name| name.display_name()) else { return String::new() };
    let full = String::from_utf8_lossy(&full).into_owned();
    full.rsplit_once('@').map(|(_, realm)| realm.to_owned()).unwrap_or_default()
}

fn credential(login: &KerberosLogin, usage: CredUsage) -> Result<Cred, GssError> {
    let principal = login.principal.as_deref();
    let name = principal.map(|name| Name::new(name.as_bytes(), Some(GSS_NT_KRB5_PRINCIPAL)));
    let name = name.transpose().map_err(failed)?;
    let mechanisms = OidSet::singleton(GSS_MECH_KRB5).map_err(failed)?;
    Cred::acquire(name.as_ref(), None, usage, Some(&mechanisms)).map_err(failed)
}

fn failed(error: Error) -> GssError {
    let code = (error.minor as i32).wrapping_sub(FIRST_CODE);
    // The library ends some of its texts with a line.
    let text = error.to_string().split_whitespace().collect::<Vec<_>>().join(" ");
    GssError { text, is_retriable: RETRIABLE.contains(&code) }
}

impl Context {
    fn inner(&mut self) -> &mut dyn libgssapi::context::SecurityContext {
        match self {
            Self::Acceptor(context) => context,
            Self::Initiator(context) => context,
        }
    }
}

impl SecurityContext for Context {
    fn step(&mut self, token: &[u8]) -> Result<Option<Vec<u8>>, GssError> {
        let answer = match self {
            Self::Acceptor(context) => context.step(token, None),
            Self::Initiator(context) => context.step((!token.is_empty()).then_some(token), None),
        };
        Ok(answer.map_err(failed)?.map(|answer| answer.to_vec()))
    }

    fn is_established(&self) -> bool {
        match self {
            Self::Acceptor(context) => context.is_complete(),
            Self::Initiator(context) => context.is_complete(),
        }
    }

    fn wrap(&mut self, message: &[u8]) -> Result<Vec<u8>, GssError> {
        Ok(self.inner().wrap(false, message).map_err(failed)?.to_vec())
    }

    fn unwrap(&mut self, message: &[u8]) -> Result<Vec<u8>, GssError> {
        Ok(self.inner().unwrap(message).map_err(failed)?.to_vec())
    }

    fn initiator(&self) -> Result<String, GssError> {
        let name = match self {
            Self::Acceptor(context) => context.source_name(),
            Self::Initiator(context) => context.source_name(),
        };
        let name = name.and_then(|name| name.display_name()).map_err(failed)?;
        String::from_utf8(name.to_vec()).map_err(|_| GssError::new("a name that is no UTF-8"))
    }
}
