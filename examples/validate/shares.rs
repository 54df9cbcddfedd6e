//! Carts that survive by luck, and carts that a crash takes.

use whatcart::base::Step;
use whatcart::base::time::Span;
use whatcart::scenario::{Affinity, CookieLife, Dist, PolicyName, Scenario, Time, Whole, load};

use crate::measure::{over, run};
use crate::{Row, Section, theory};

const SEEDS: u64 = 24;

#[expect(clippy::cast_precision_loss, reason = "shares")]
pub fn section() -> Section {
    let mut rows = Vec::new();
    for servers in [2, 3, 5] {
        let scenario = by_luck(servers);
        let got = over(SEEDS, |seed| {
            let carts = run(&scenario, seed).carts;
            carts.intact as f64 / carts.opened as f64
        });
        let what = format!("carts whole by luck: 3 adds, {servers} servers at random: {servers}⁻³");
        rows.push(Row { what, predicted: theory::whole_by_luck(servers, 3), slack: 0.0, got });
    }
    for servers in [2, 3, 5, 10] {
        let scenario = crash(servers);
        let got = over(SEEDS, |seed| {
            let fault = run(&scenario, seed).faults[0].clone();
            fault.lost_of_open as f64 / fault.open_carts as f64
        });
        let what = format!("open carts lost when 1 of {servers} sticky servers crashes: 1/{servers}");
        rows.push(Row { what, predicted: 1.0 / f64::from(servers), slack: 0.0, got });
    }
    Section { title: "Carts", words: "Shares of carts.", rows }
}

fn by_luck(servers: u32) -> Scenario {
    let mut scenario = Scenario::house();
    scenario.users.count = Some(Whole::of(1_000));
    scenario.users.journey = vec![Step::Add, Step::Add, Step::Add, Step::Checkout].into();
    scenario.users.think = Dist::Exponential(Time::of(Span::from_millis(250)));
    scenario.servers.count = Whole::of(servers.into());
    scenario.servers.workers = Whole::of(100);
    scenario.servers.service = Dist::Constant(Time::of(Span::from_millis(1)));
    scenario.balancer.policy = PolicyName::Random;
    scenario
}

fn crash(servers: u32) -> Scenario {
    let text = format!(
        "title = 'one crash'\nduration = '1m'\nusers.count = 2_000\nfaults = [{{ at = '30s', crash = 'server-2' }}]\n\
         servers = {{ count = {servers}, workers = 100, service = {{ constant = '1ms' }} }}\n"
    );
    let mut scenario = load("crash", "crash", &text, &[], &[]).expect("a sound scenario").base;
    scenario.balancer.affinity = Affinity::Cookie(CookieLife::Visit);
    scenario
}
