//! One login module with its options.

use super::super::mechanism::Mechanism;
use super::JaasError;
use super::tokenizer::{Token, Tokenizer};
use crate::Secret;

/// Login modules of Kafka and of the JDK that we stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoginModule {
    Plain,
    Scram,
    OAuthBearer,
    Krb5,
}

impl LoginModule {
    pub(super) const ALL: [Self; 4] = [Self::Plain, Self::Scram, Self::OAuthBearer, Self::Krb5];

    pub fn class(self) -> &'static str {
        match self {
            Self::Plain => "org.apache.kafka.common.security.plain.PlainLoginModule",
            Self::Scram => "org.apache.kafka.common.security.scram.ScramLoginModule",
            Self::OAuthBearer => {
                "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule"
            }
            Self::Krb5 => "com.sun.security.auth.module.Krb5LoginModule",
        }
    }

    fn of_class(class: &str) -> Result<Self, JaasError> {
        let known = Self::ALL.into_iter().find(|known| known.class() == class);
        known.ok_or_else(|| JaasError::UnknownModule(class.to_owned()))
    }

    /// Whose credentials it holds.
    pub fn is_of(self, mechanism: Mechanism) -> bool {
        matches!(
            (self, mechanism),
            (Self::Plain, Mechanism::Plain)
                | (Self::Scram, Mechanism::Scram(_))
                | (Self::OAuthBearer, Mechanism::OAuthBearer)
                | (Self::Krb5, Mechanism::Gssapi)
        )
    }
}

/// A login module with its options.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    pub module: LoginModule,
    pub options: Vec<(String, Secret)>,
}

/// With what a client logs in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    pub username: String,
    pub password: Secret,
    /// They are the id and the HMAC of a delegation token.
    pub is_token: bool,
}

impl Credentials {
    pub fn new(username: impl Into<String>, password: Secret) -> Self {
        Self { username: username.into(), password, is_token: false }
    }

    #[must_use]
    pub fn of_token(self) -> Self {
        Self { is_token: true, ..self }
    }
}

impl Login {
    /// The last value that an option was given.
    pub fn option(&self, name: &str) -> Option<&Secret> {
        self.options.iter().rfind(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// What its owner logs in with elsewhere.
    pub fn credentials(&self) -> Result<Credentials, JaasError> {
        let class = self.module.class();
        let said = self.option("tokenauth").filter(|_| self.module == LoginModule::Scram);
        let is_token = said.is_some_and(|it| it.reveal().eq_ignore_ascii_case("true"));
        match (self.option("username"), self.option("password")) {
            (Some(username), Some(password)) => Ok(Credentials {
                username: username.reveal().to_owned(),
                password: password.clone(),
                is_token,
            }),
            _ => Err(JaasError::NoCredentials(class)),
        }
    }
}

/// A module whose class was not looked at yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    class: String,
    options: Vec<(String, Secret)>,
}

impl Entry {
    pub(super) fn login(self) -> Result<Login, JaasError> {
        Ok(Login { module: LoginModule::of_class(&self.class)?, options: self.options })
    }

    pub(super) fn is_of_class(&self, module: LoginModule) -> bool {
        self.class == module.class()
    }

    pub(super) fn values(&self) -> impl Iterator<Item = &str> {
        self.options.iter().map(|(_, value)| value.reveal())
    }
}

/// The value of a `sasl.jaas.config`: one login module.
pub fn parse_property(text: &str) -> Result<Login, JaasError> {
    let mut tokens = Tokenizer::new(text, &['-', '_', '$']);
    let mut entries = Vec::new();
    while let Some(first) = tokens.next() {
        entries.push(parse_entry(first, &mut tokens)?);
    }
    match entries.len() {
        0 => Err(JaasError::NoModule),
        1 => entries.remove(0).login(),
        several => Err(JaasError::TooManyModules(several)),
    }
}

/// `CLASS FLAG NAME=VALUE ... ;`, of which the first word was taken.
pub(super) fn parse_entry(first: Token, tokens: &mut Tokenizer<'_>) -> Result<Entry, JaasError> {
    let Token::Text(class) = first else { return Err(JaasError::NoModule) };
    match tokens.next() {
        Some(Token::Text(flag)) => check_flag(&flag)?,
        _ => return Err(JaasError::NoFlag),
    }
    let mut options = Vec::new();
    loop {
        match tokens.next() {
            Some(Token::Mark(';')) => return Ok(Entry { class, options }),
            Some(Token::Text(name)) => {
                let (mark, value) = (tokens.next(), tokens.next());
                let (Some(Token::Mark('=')), Some(Token::Text(value))) = (mark, value) else {
                    return Err(JaasError::NoValue(name));
                };
                options.push((name, Secret::new(value)));
            }
            Some(Token::Mark('}')) | None => return Err(JaasError::Unterminated),
            // What Java reads as no name.
            Some(_) => return Err(JaasError::NoValue("null".to_owned())),
        }
    }
}

fn check_flag(flag: &str) -> Result<(), JaasError> {
    const FLAGS: [&str; 4] = ["required", "requisite", "sufficient", "optional"];
    match FLAGS.iter().any(|known| known.eq_ignore_ascii_case(flag)) {
        true => Ok(()),
        false => Err(JaasError::BadFlag(flag.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: &str = "org.apache.kafka.common.security.plain.PlainLoginModule";

    #[test]
    fn a_property_is_one_module_with_its_options() {
        let text = format!("{PLAIN} required\n username=\"admin\" password='a b;' user_x=y;\n");
        let login = parse_property(&text).unwrap();
        assert_eq!(login.module, LoginModule::Plain);
        let names: Vec<&str> = login.options.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["username", "password", "user_x"]);
        let credentials = login.credentials().unwrap();
        assert_eq!((&*credentials.username, credentials.password.reveal()), ("admin", "a b;"));
        assert!(!format!("{login:?}{credentials:?}").contains("a b"), "{login:?}");
    }

    #[test]
    fn what_is_wrong_is_named() {
        let cases: &[(&str, &str)] = &[
            ("", "Login module not specified in JAAS config"),
            ("Plain", "Login module control flag not specified in JAAS config"),
            ("Plain needed;", "Invalid login module control flag 'needed' in JAAS config"),
            ("Plain required a", "Value not specified for key 'a' in JAAS config"),
            ("Plain required a=1;", "Value not specified for key 'a' in JAAS config"),
            ("Plain required a=b", "JAAS config entry not terminated by semi-colon"),
            (
                "com.example.Own required;",
                "login module com.example.Own is a Java class, which no JVM is here to load: use \
                 org.apache.kafka.common.security.plain.PlainLoginModule, \
                 org.apache.kafka.common.security.scram.ScramLoginModule or \
                 org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule",
            ),
            (
                "a required; b required;",
                "JAAS config property contains 2 login modules, should be 1 module",
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(parse_property(text).unwrap_err().to_string(), *expected, "{text}");
        }
    }

    #[test]
    fn who_has_no_password_cannot_log_in_elsewhere() {
        let login = |options: &str| parse_property(&format!("{PLAIN} required {options};"));
        assert!(matches!(
            login("username=a").unwrap().credentials(),
            Err(JaasError::NoCredentials(_))
        ));
        let with = |module: &str| {
            let text = format!("{module} required username=a password=b tokenauth=\"TRUE\";");
            parse_property(&text).unwrap().credentials().unwrap().is_token
        };
        assert!(with(LoginModule::Scram.class()) && !with(LoginModule::Plain.class()));
    }
}
