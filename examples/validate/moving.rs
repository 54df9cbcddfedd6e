//! Users who are moved when a pool changes, and how evenly hashing shares them out.

use whatcart::balancing::policy::{AnyPolicy, Policy, PoolView, RequestView};
use whatcart::base::seed::{Key, Purpose, Seed};
use whatcart::base::time::Instant;
use whatcart::base::{ServerId, ServerState};
use whatcart::scenario::{PolicyName, Scenario, Whole};

use crate::measure::over;
use crate::{Row, Section, theory};

const USERS: u64 = 20_000;
const SEEDS: u64 = 24;

pub fn section() -> Section {
    let mut rows = Vec::new();
    for servers in [3u32, 10] {
        let n = f64::from(servers);
        for (name, policy, predicted, joins) in [
            ("modulo hash", PolicyName::IpHash, n / (n + 1.0), true),
            ("hash ring", PolicyName::RingHash, 1.0 / (n + 1.0), true),
            ("rendezvous", PolicyName::Rendezvous, 1.0 / (n + 1.0), true),
            ("modulo hash", PolicyName::IpHash, (n - 1.0) / n, false),
            ("hash ring", PolicyName::RingHash, 1.0 / n, false),
            ("rendezvous", PolicyName::Rendezvous, 1.0 / n, false),
        ] {
            let got = over(SEEDS, |seed| moved(policy, servers, joins, seed));
            let what = if joins {
                format!("{name}: users moved when one joins {servers}")
            } else {
                format!("{name}: users moved when one of {servers} leaves")
            };
            rows.push(Row { what, predicted, slack: 0.0, got });
        }
    }
    // Of the table's slots, so of users; the size of the table is the usual one, 65,537.
    for (servers, predicted, slack) in [(3, 0.3336, 0.0025), (10, 0.1025, 0.0025), (1_000, 0.0068, 0.0005)] {
        let got = over(SEEDS, |seed| moved(PolicyName::Maglev, servers, false, seed));
        let what = format!("Maglev: users moved when one of {servers} leaves");
        rows.push(Row { what, predicted, slack, got });
    }
    for points in [16, 160, 1_000] {
        let got = over(SEEDS * 2, |seed| ring_share_square(10, points, seed));
        let what = format!("hash ring: squared variation of the shares of 10 servers with {points} points each");
        rows.push(Row { what, predicted: theory::ring_cv(10, points).powi(2), slack: 0.0, got });
    }
    let words = "Shares of users, from the picks of the policies themselves.";
    Section { title: "Hashing", words, rows }
}

fn policy(policy: PolicyName, pool: &PoolView, points: u32, seed: u64) -> AnyPolicy {
    let mut scenario = Scenario::house();
    scenario.balancer.policy = policy;
    scenario.balancer.points = Whole::of(points.into());
    AnyPolicy::new(&scenario, pool, Seed(seed))
}

fn owners(policy: &mut AnyPolicy, pool: &PoolView, users: u64) -> Vec<ServerId> {
    let draw = Seed(1).draw(Purpose::Pick, Key::default());
    let pick = |user| policy.pick(Instant::ZERO, &RequestView { hash_key: user, excluded: &[] }, pool, draw);
    (1..=users).map(pick).map(|server| server.expect("somebody is up")).collect()
}

/// The share of users whose server is another one after one server joined, or left.
#[expect(clippy::cast_precision_loss, reason = "a share")]
fn moved(name: PolicyName, servers: u32, joins: bool, seed: u64) -> f64 {
    let number = servers + u32::from(joins);
    let mut pool = PoolView::new(vec![1; number as usize]);
    let last = ServerId(number - 1);
    if joins {
        pool.believe(last, ServerState::Down);
    }
    let mut policy = policy(name, &pool, 160, seed);
    let before = owners(&mut policy, &pool, USERS);
    pool.believe(last, if joins { ServerState::Up } else { ServerState::Down });
    policy.on_pool_change(&pool);
    let after = owners(&mut policy, &pool, USERS);
    before.iter().zip(&after).filter(|(old, new)| old != new).count() as f64 / USERS as f64
}

/// The squared coefficient of variation of the servers' shares, less what the sample of users itself varies.
#[expect(clippy::cast_precision_loss, reason = "shares")]
fn ring_share_square(servers: u32, points: u32, seed: u64) -> f64 {
    let pool = PoolView::new(vec![1; servers as usize]);
    let users = 100_000;
    let mut counts = vec![0.0; servers as usize];
    for server in owners(&mut policy(PolicyName::RingHash, &pool, points, seed), &pool, users) {
        counts[server.index()] += 1.0;
    }
    let mean = users as f64 / f64::from(servers);
    let square = counts.iter().map(|count| (count / mean - 1.0f64).powi(2)).sum::<f64>() / f64::from(servers);
    square - f64::from(servers - 1) / users as f64
}
