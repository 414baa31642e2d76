//! TLS: key stores, certificates, the names in them. Kafka: `DefaultSslEngineFactory`.
