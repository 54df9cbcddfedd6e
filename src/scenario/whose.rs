//! Whose defaults ours are: of which product, or nobody's but ours.

use super::{Preset, Scenario};

/// Whose setting a default is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// Ours: chosen for the scenarios here.
    Ours,
    /// That of a product, in these words.
    Of(&'static str),
    /// That of the product which the preset of the health checks names.
    HealthPreset,
}

impl Whose {
    /// The source of a default in this scenario, in words.
    #[must_use]
    pub fn words(self, scenario: &Scenario) -> &'static str {
        match (self, scenario.balancer.health.preset) {
            (Whose::Ours, _) => "house setting",
            (Whose::Of(whose), _) => whose,
            (Whose::HealthPreset, Preset::Haproxy) => "HAProxy's default",
            (Whose::HealthPreset, Preset::Alb) => "the ALB's default",
            (Whose::HealthPreset, Preset::Kubernetes) => "Kubernetes' default",
        }
    }
}

/// The keys and tables with a default of somebody else.
const OTHERS: &[(&str, &str)] = &[
    ("users.timeout", "Envoy's default route timeout"),
    ("balancer.points", "as in nginx and ketama"),
    ("balancer.retries", "HAProxy's default"),
    ("balancer.connect_timeout", "Envoy's default"),
    ("balancer.outlier", "Envoy's default"),
    ("autoscaler.interval", "Kubernetes' default"),
    ("autoscaler.cool_down", "Kubernetes' default"),
    ("replication.copies", "Tomcat's BackupManager"),
    ("serverless.idle", "as measured on AWS Lambda"),
    ("serverless.most", "AWS Lambda's limit of an account"),
    ("tokens.leeway", "common verifiers of JWTs"),
];

/// Whose the default of the key at `path` is.
#[must_use]
pub fn whose(path: &str) -> Whose {
    let is_within = |key: &str| path.strip_prefix(key).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
    let other = OTHERS.iter().find(|(key, _)| is_within(key)).map(|(_, words)| Whose::Of(words));
    let preset = is_within("balancer.health").then_some(Whose::HealthPreset);
    other.or(preset).unwrap_or(Whose::Ours)
}
