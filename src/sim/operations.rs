//! Faults and planned operations on the pool while users are active.

mod faults;
mod isolation;
mod operator;
mod servers;

use crate::base::time::{Instant, Span};
use crate::operations::faults::Fault;
use crate::operations::operator::Operator;
use crate::scenario::{Autoscaler, Scenario};
use isolation::WithheldReply;

/// The faults and the operator of a run.
#[derive(Clone, Debug)]
pub struct Operations {
    /// All faults of the run, injected ones last.
    pub faults: Vec<Fault>,
    /// The operator, who carries out deploys and changes of the pool's size.
    pub operator: Operator,
    autoscaler: Option<Autoscaler>,
    /// How long a process takes to boot.
    boot: Span,
    /// When the operator's next look at the pool is due. At most one is pending.
    next_look: Instant,
    /// Answers withheld because their server is isolated.
    withheld: Vec<WithheldReply>,
}

impl Operations {
    /// The operations of a scenario at time 0.
    #[must_use]
    pub fn new(scenario: &Scenario) -> Operations {
        Operations {
            faults: Vec::new(),
            operator: Operator::new(scenario),
            autoscaler: scenario.autoscaler,
            boot: scenario.servers.boot.get(),
            next_look: Instant::NEVER,
            withheld: Vec::new(),
        }
    }
}
