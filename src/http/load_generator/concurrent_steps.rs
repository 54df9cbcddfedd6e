//! Users who perform several steps at once: the requests are in flight together and share a cookie jar.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Poll;

use super::{LoadGenerator, TabTask};
use crate::base::Visit;
use crate::base::time::Instant;
use crate::http::log::Answered;
use crate::http::wire::RequestId;
use crate::traffic::{Client, ConcurrentSteps, Next, StepProgress};

/// Runs one step to its end.
type Doing<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

impl LoadGenerator {
    /// Runs all concurrent steps. Returns when the last of them has ended, or when the user gives up.
    pub(super) async fn do_at_once(
        &self,
        concurrent_steps: ConcurrentSteps,
        client: &mut Client,
        tab: &TabTask,
        intended: Instant,
    ) -> Next {
        let visit = client.visit(tab.id);
        let steps = concurrent_steps.steps();
        let moment = Mutex::new(concurrent_steps);
        let mut doing: Vec<Doing> =
            steps.map(|step| Box::pin(self.do_step(&moment, step, (visit, tab), intended)) as Doing).collect();
        poll_fn(|context| {
            doing.retain_mut(|step| step.as_mut().poll(context).is_pending());
            // A user who has given up does not wait for another step's pause to end.
            if doing.is_empty() || look(&moment).is_over() { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
        let next = look(&moment).end(client, &self.workload);
        next.expect("every step has come to its end")
    }

    async fn do_step(
        &self,
        moment: &Mutex<ConcurrentSteps>,
        step: u16,
        (visit, tab): (Visit, &TabTask),
        mut intended: Instant,
    ) {
        loop {
            let sent = look(moment).request(step, &self.workload, intended);
            let Some((request, key)) = sent else { return };
            self.log.sent(visit, request, intended);
            let outcome = self.ask(RequestId { key, client: tab.id }, request, tab, intended).await;
            let (meant, progress) = {
                let mut moment = look(moment);
                (moment.meant(step), moment.told(step, &self.workload, request.command, outcome))
            };
            let settled = progress.settles_the_step();
            self.log.told(visit, &Answered { request, sent: intended, meant, outcome, settled });
            let now = self.clock.now();
            intended = match progress {
                StepProgress::Over => return,
                StepProgress::Again => now,
                StepProgress::Pause => now + self.workload.pause,
            };
            self.clock.sleep_until(intended).await;
        }
    }
}

fn look(moment: &Mutex<ConcurrentSteps>) -> MutexGuard<'_, ConcurrentSteps> {
    moment.lock().unwrap_or_else(PoisonError::into_inner)
}
