//! How large the pool may become.

use super::{Deploy, Drain, Fault, FaultKind, Scenario, Strategy};

impl Scenario {
    /// The maximum number of server slots, including those that will have been retired.
    #[must_use]
    pub fn most_slots(&self) -> u64 {
        let kinds = || self.faults.iter().filter_map(Fault::what);
        let sizes =
            kinds().filter_map(|kind| if let FaultKind::Scale(scale) = kind { Some(scale.to.get()) } else { None });
        let most = sizes.clone().chain(self.autoscaler.map(|autoscaler| autoscaler.max.get()));
        let most = most.fold(self.servers.count.get(), u64::max);
        let anew = |deploy: &Deploy| deploy.surge() > 0 || deploy.strategy == Strategy::BlueGreen;
        let deploys = kinds().filter(|kind| matches!(kind, FaultKind::Deploy(deploy) if anew(deploy))).count() as u64;
        // How often an autoscaler scales out and in is not known in advance.
        let up_and_down = self.autoscaler.map_or(0, |autoscaler| 3 * autoscaler.max.get());
        self.servers.count.get() + sizes.sum::<u64>() + deploys * most + up_and_down
    }

    /// How servers leave: in deploys, in changes of the pool's size, and with the autoscaler.
    pub fn drains(&self) -> impl Iterator<Item = Drain> + '_ {
        let planned = self.faults.iter().filter_map(|fault| match fault.what()? {
            FaultKind::Deploy(deploy) => Some(deploy.drain),
            FaultKind::Scale(scale) => Some(scale.drain),
            _ => None,
        });
        planned.chain(self.autoscaler.map(|autoscaler| autoscaler.drain))
    }

    /// Servers that there may be at one time, with those that are drained while others already take their place.
    #[must_use]
    pub fn most_servers_at_once(&self) -> u64 {
        let kinds = || self.faults.iter().filter_map(Fault::what);
        let scales = || kinds().filter_map(|kind| if let FaultKind::Scale(scale) = kind { Some(*scale) } else { None });
        let sizes = scales().map(|scale| scale.to.get()).chain(self.autoscaler.map(|autoscaler| autoscaler.max.get()));
        let largest = sizes.fold(self.servers.count.get(), u64::max);
        let mut drains = scales().map(|scale| scale.drain).chain(self.autoscaler.map(|autoscaler| autoscaler.drain));
        let drained = if drains.any(|drain| drain.happens()) { largest } else { 0 };
        let deploys =
            kinds().filter_map(|kind| if let FaultKind::Deploy(deploy) = kind { Some(*deploy) } else { None });
        let beside = deploys.map(|deploy| match deploy.strategy {
            Strategy::BlueGreen => largest,
            Strategy::Rolling | Strategy::AllAtOnce => u64::from(deploy.surge()),
        });
        largest + beside.fold(drained, u64::max)
    }
}
