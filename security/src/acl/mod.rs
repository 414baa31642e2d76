//! Access control entries, and the decisions that follow from them. Kafka: `StandardAuthorizer`.
