//! SASL, both sides: mechanisms, JAAS sections, the order of what is said.
//! Kafka: `SaslServerAuthenticator`, `SaslClientAuthenticator`.
