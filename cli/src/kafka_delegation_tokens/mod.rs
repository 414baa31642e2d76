//! `kafka-delegation-tokens`: tokens that stand for a password, created, renewed, expired and
//! described.
//!
//! Answers to org.apache.kafka.tools.DelegationTokenCommand of Kafka 4.3.1, whose help is
//! `help-4.3.1.txt`, and of 3.7.0, which says the same. `options` judges the command line, `hmac`
//! reads what a token is known by, `print` shows tokens.

mod hmac;
mod options;
mod print;

use std::io::Write;

use client::admin::{Admin, AdminError, Bootstrap, Principal};

use self::hmac::HmacError;
use self::options::{Action, OPTIONS};
use crate::joptsimple::{OptionError, ParsedOptions, parse_in};
use crate::json::Report;
use crate::refused::Refused;
use crate::release::CliRelease;
use crate::session::{Session, SessionError, properties, settings};

const HELP: &str = include_str!("help-4.3.1.txt");

/// Why a command that got past its options failed.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("{0}")]
    Option(#[from] OptionError),
    /// What Java says of an option without its number.
    #[error(
        "Cannot invoke \"java.lang.Long.longValue()\" because the return value of \
         \"joptsimple.OptionSet.valueOf(joptsimple.OptionSpec)\" is null"
    )]
    NoNumber,
    #[error("{0}")]
    Words(String),
    #[error("{0}")]
    Hmac(#[from] HmacError),
    /// As Java shows the cause of a future that failed.
    #[error("{class}: {0}", class = .0.class())]
    Asked(#[from] AdminError),
    #[error("{0}")]
    Session(String),
    #[error("{0}")]
    Io(#[from] std::io::Error),
}

impl From<SessionError> for Failure {
    fn from(error: SessionError) -> Self {
        Self::Session(error.to_string().lines().next().unwrap_or_default().to_owned())
    }
}

/// Runs the tool.
pub(crate) fn run(
    release: CliRelease,
    arguments: &[String],
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> i32 {
    let read = parse_in(release, OPTIONS, arguments).map_err(Refused::from);
    let checked = read.and_then(|given| {
        let action = options::check(arguments.is_empty(), &given)?;
        Ok((given, action))
    });
    let (given, action) = match checked {
        Ok(checked) => checked,
        Err(refused) => return refused.answer_in(release, HELP, out, err),
    };
    let done = open(&given).and_then(|mut session| {
        session.run(async |admin| match action {
            Action::Create => create(&given, admin, out).await,
            Action::Renew => renew(&given, admin, out).await,
            Action::Expire => expire(&given, admin, out).await,
            Action::Describe => describe(&given, admin, out, err).await,
        })
    });
    match done {
        Ok(()) => 0,
        // Streams that nobody reads any more are no reason to complain.
        Err(Failure::Io(_)) => 1,
        Err(failure) => {
            let _ = out.flush();
            let _ = writeln!(err, "{failure}");
            1
        }
    }
}

fn open(given: &ParsedOptions) -> Result<Session, Failure> {
    let properties = properties(given.value("command-config")?)?;
    let list = given.value("bootstrap-server")?.unwrap_or_default();
    Ok(Session::open(Bootstrap::Servers, list, settings(&properties)?, "AdminClient")?)
}

fn principals(given: &ParsedOptions, option: &str) -> Result<Vec<Principal>, Failure> {
    let principal = |typed: &str| match typed.trim().split_once(':') {
        Some((kind, name)) => Ok(Principal { kind: kind.to_owned(), name: name.to_owned() }),
        None => Err(Failure::Words(format!(
            "expected a string in format principalType:principalName but got {}",
            typed.trim()
        ))),
    };
    given.values(option).into_iter().map(principal).collect()
}

/// A number that was checked to be given, if not with a value.
fn period(given: &ParsedOptions, option: &'static str) -> Result<i64, Failure> {
    given.long(option)?.ok_or(Failure::NoNumber)
}

async fn create(
    given: &ParsedOptions,
    admin: &mut Admin,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let renewers = principals(given, "renewer-principal")?;
    let life = period(given, "max-life-time-period")?;
    writeln!(
        out,
        "Calling create token operation with renewers :{} , max-life-time-period :{life}",
        print::listed(&renewers)
    )?;
    let owners = principals(given, "owner-principal")?;
    let token = admin.create_delegation_token(owners.first(), &renewers, life).await?;
    writeln!(out, "Created delegation token with tokenId : {}", token.id)?;
    Ok(out.write_all(print::table(&[token]).as_bytes())?)
}

/// What a token is known by, and for how long it shall live.
fn hmac_and_period<'a>(
    given: &'a ParsedOptions,
    option: &'static str,
) -> Result<(Option<&'a str>, i64), Failure> {
    Ok((given.value("hmac")?, period(given, option)?))
}

async fn renew(
    given: &ParsedOptions,
    admin: &mut Admin,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let (hmac, period) = hmac_and_period(given, "renew-time-period")?;
    let shown = hmac.unwrap_or("null");
    writeln!(
        out,
        "Calling renew token operation with hmac :{shown} , renew-time-period :{period}"
    )?;
    let expires = admin.renew_delegation_token(&hmac::decode(hmac)?, period).await?;
    let date = print::date(expires);
    Ok(write!(out, "Completed renew operation. New expiry date : {date}")?)
}

async fn expire(
    given: &ParsedOptions,
    admin: &mut Admin,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let (hmac, period) = hmac_and_period(given, "expiry-time-period")?;
    let shown = hmac.unwrap_or("null");
    writeln!(
        out,
        "Calling expire token operation with hmac :{shown} , expire-time-period :{period}"
    )?;
    let expires = admin.expire_delegation_token(&hmac::decode(hmac)?, period).await?;
    let date = print::date(expires);
    Ok(write!(out, "Completed expire operation. New expiry date : {date}")?)
}

async fn describe(
    given: &ParsedOptions,
    admin: &mut Admin,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<(), Failure> {
    let owners = principals(given, "owner-principal")?;
    let calling = match owners.as_slice() {
        [] => "Calling describe token operation for current user.".to_owned(),
        owners => format!("Calling describe token operation for owners: {}", print::listed(owners)),
    };
    let is_json = given.has("json");
    if !is_json {
        writeln!(out, "{calling}")?;
    }
    let tokens = match admin.describe_delegation_tokens(&owners).await {
        Ok(tokens) => tokens,
        Err(error) => {
            // Where there is no document, nothing is kept out of it.
            if is_json {
                writeln!(out, "{calling}")?;
            }
            return Err(error.into());
        }
    };
    if is_json {
        writeln!(err, "{calling}")?;
    }
    let mut report = Report::new(is_json, out, err);
    report.heading(&format!("Total number of tokens : {}", tokens.len()))?;
    report.rows(tokens.iter().map(print::TokenObject::of), || print::table(&tokens))?;
    Ok(report.end()?)
}
