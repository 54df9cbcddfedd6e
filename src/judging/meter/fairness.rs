//! How evenly servers are loaded, over the time they were there.
//!
//! Whenever a server comes or goes, the work done since the last time is shared out among those that were there. So a
//! server that was there for half of the run is measured against what the others did in that half.

use super::Work;
use crate::base::time::{Instant, Span};

/// How evenly something is distributed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Evenness {
    /// The largest load divided by the mean.
    pub peak_to_mean: f64,
    /// Coefficient of variation: standard deviation divided by the mean.
    pub cv: f64,
    /// Jain's index: (sum)^2 / (n * sum of squares). 1 is perfectly even; 1/n means that one server has everything.
    pub jain: f64,
    /// The largest load divided by the mean, over any window.
    pub worst_window: f64,
}

/// The loads of servers, each relative to its fair share.
#[derive(Clone, Debug)]
pub struct Fairness {
    servers: Vec<Server>,
    /// How many servers are there.
    there: u32,
    /// Work since the level was last raised, by servers that are there.
    pub(super) unshared: Span,
    /// What a server that had always been there should have done, in nanoseconds of work.
    level: f64,
    /// The length of a window.
    window: Span,
    began: Instant,
    window_began: Instant,
    closes: Instant,
    worst: f64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Server {
    /// While it is there: since when, and the level then.
    since: Option<(Instant, f64)>,
    /// The time it was there before, and its fair share of that time's work.
    there: Span,
    fair: f64,
    /// Its work and its fair share when the window began.
    at_window: (Span, f64),
}

impl Fairness {
    pub(super) fn new(servers: usize, window: Span, closes: Instant) -> Fairness {
        let server = Server { since: Some((Instant::ZERO, 0.0)), ..Server::default() };
        Fairness {
            servers: vec![server; servers],
            there: u32::try_from(servers).expect("fewer than 2^32 servers"),
            unshared: Span::ZERO,
            level: 0.0,
            window,
            began: Instant::ZERO,
            window_began: Instant::ZERO,
            closes,
            worst: 0.0,
        }
    }

    /// Forgets everything up to now.
    pub(super) fn begin(&mut self, now: Instant, work: &mut [Work]) {
        self.share_out();
        let level = self.level;
        for (server, work) in self.servers.iter_mut().zip(work) {
            *server = Server { since: server.since.map(|_| (now, level)), ..Server::default() };
            work.busy_there = Span::ZERO;
        }
        (self.began, self.window_began, self.worst) = (now, now, 0.0);
    }

    /// A server takes part from now on.
    pub(super) fn comes(&mut self, now: Instant, index: usize, work: &mut Work) {
        if index >= self.servers.len() {
            self.servers.resize(index + 1, Server::default());
        }
        if self.servers[index].since.is_none() {
            self.share_out();
            self.servers[index].since = Some((now.min(self.closes), self.level));
            self.there += 1;
            work.is_there = true;
        }
    }

    /// A server takes no part from now on.
    pub(super) fn goes(&mut self, now: Instant, index: usize, work: &mut Work) {
        let Some(server) = self.servers.get_mut(index) else { return };
        if let Some((since, _)) = server.since {
            server.there += now.min(self.closes).max(since) - since;
            self.share_out();
            let server = &mut self.servers[index];
            server.fair = server.fair_share(self.level);
            server.since = None;
            self.there -= 1;
            work.is_there = false;
        }
    }

    /// When the window ends, unless the shop closes before another one would: then this one lasts until it closes.
    pub(super) fn window_ends(&self) -> Instant {
        let end = self.window_began + self.window;
        if end + self.window <= self.closes { end } else { Instant::NEVER }
    }

    pub(super) fn end_window(&mut self, work: &[Work]) {
        let end = self.window_ends();
        self.share_out();
        self.worst = self.worst.max(self.peak_of_window(self.level, work));
        for (server, work) in self.servers.iter_mut().zip(work) {
            server.at_window = (work.busy_there, server.fair_share(self.level));
        }
        self.window_began = end;
    }

    /// How even the loads are until now; `None` if nothing was done.
    pub(super) fn evenness(&self, now: Instant, work: &[Work]) -> Option<Evenness> {
        let level = self.raised();
        let loads: Vec<(Span, f64, f64)> = self
            .servers
            .iter()
            .zip(work)
            .map(|(server, work)| (server.time_there(now), server.fair_share(level), nanos(work.busy_there)))
            .collect();
        let all: f64 = loads.iter().map(|(_, fair, _)| fair).sum();
        if all <= 0.0 {
            return None;
        }
        // Luck rules over what is there for a moment only.
        let least = self.window.min(now - self.began.min(now));
        let peak = |least: Span| {
            let long = loads.iter().filter(|(there, fair, _)| *there >= least && *fair > 0.0);
            long.map(|(_, fair, done)| done / fair).reduce(f64::max)
        };
        let peak_to_mean = peak(least).or_else(|| peak(Span::ZERO))?;
        let deviations = loads.iter().filter(|(_, fair, _)| *fair > 0.0);
        let variance: f64 =
            deviations.map(|(_, fair, done)| fair / all * (done / fair - 1.0) * (done / fair - 1.0)).sum();
        let is_long = now >= self.window_began + self.window;
        let last = if is_long { self.peak_of_window(level, work) } else { 0.0 };
        let worst_window = self.worst.max(last).max(peak_to_mean);
        Some(Evenness { peak_to_mean, cv: variance.sqrt(), jain: 1.0 / (1.0 + variance), worst_window })
    }

    /// The largest load divided by the fair share, of the servers that have been there since the window began.
    fn peak_of_window(&self, level: f64, work: &[Work]) -> f64 {
        let whole = |server: &Server| server.since.is_some_and(|(since, _)| since <= self.window_began);
        let load = |(server, work): (&Server, &Work)| {
            let (done, fair) = server.at_window;
            let fair = server.fair_share(level) - fair;
            (fair > 0.0).then(|| nanos(work.busy_there - done) / fair)
        };
        self.servers.iter().zip(work).filter(|(server, _)| whole(server)).filter_map(load).fold(0.0, f64::max)
    }

    /// The level with everything shared out.
    fn raised(&self) -> f64 {
        if self.there == 0 { self.level } else { self.level + nanos(self.unshared) / f64::from(self.there) }
    }

    fn share_out(&mut self) {
        self.level = self.raised();
        self.unshared = Span::ZERO;
    }
}

impl Server {
    fn fair_share(&self, level: f64) -> f64 {
        self.fair + self.since.map_or(0.0, |(_, then)| level - then)
    }

    fn time_there(&self, now: Instant) -> Span {
        self.there + self.since.map_or(Span::ZERO, |(since, _)| now.max(since) - since)
    }
}

#[expect(clippy::cast_precision_loss, reason = "a ratio")]
fn nanos(span: Span) -> f64 {
    span.as_nanos() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLOSES: u64 = 100;

    fn at(s: u64) -> Instant {
        Instant::ZERO + Span::from_secs(s)
    }

    /// Plays what servers do in each second, given as (second, server, work in milliseconds), and who comes or goes.
    fn measured(servers: usize, moves: &[(u64, usize, bool)], each: impl Fn(u64, usize) -> u64) -> Option<Evenness> {
        let mut work = vec![Work { is_there: true, ..Work::default() }; servers];
        let mut fairness = Fairness::new(servers, Span::from_secs(10), at(CLOSES));
        for second in 0..CLOSES {
            while at(second) >= fairness.window_ends() {
                fairness.end_window(&work);
            }
            for (_, server, comes) in moves.iter().filter(|(at, ..)| *at == second) {
                work.resize(work.len().max(server + 1), Work::default());
                let its = &mut work[*server];
                if *comes { fairness.comes(at(second), *server, its) } else { fairness.goes(at(second), *server, its) }
            }
            for (server, work) in work.iter_mut().enumerate().filter(|(_, work)| work.is_there) {
                work.busy_there += Span::from_millis(each(second, server));
                fairness.unshared += Span::from_millis(each(second, server));
            }
        }
        fairness.evenness(at(CLOSES), &work)
    }

    fn near(found: f64, wanted: f64) {
        assert!((found - wanted).abs() < 1e-9, "{found}, not {wanted}");
    }

    #[test]
    fn a_constant_pool() {
        let even = measured(4, &[], |_, _| 50).expect("work");
        for (found, wanted) in [(even.peak_to_mean, 1.0), (even.cv, 0.0), (even.jain, 1.0), (even.worst_window, 1.0)] {
            near(found, wanted);
        }
        let one = measured(4, &[], |_, server| if server == 2 { 50 } else { 0 }).expect("work");
        near(one.peak_to_mean, 4.0);
        near(one.jain, 0.25);
        near(one.cv, 3f64.sqrt());
        let some = measured(3, &[], |_, server| 10 * (server as u64 + 1)).expect("work");
        near(some.peak_to_mean, 1.5);
        near(some.jain, 36.0 / 42.0);
        assert_eq!(measured(3, &[], |_, _| 0), None, "nothing was done");
    }

    #[test]
    fn a_pool_that_grows_is_even_if_each_has_its_share_while_it_is_there() {
        let grows: Vec<(u64, usize, bool)> = (1..10).map(|server| (50, server, true)).collect();
        let even = measured(1, &grows, |second, _| if second < 50 { 500 } else { 50 }).expect("work");
        near(even.peak_to_mean, 1.0);
        near(even.worst_window, 1.0);
        near(even.jain, 1.0);
        let shrinks = [(30, 1, false), (60, 1, true)];
        let even = measured(2, &shrinks, |second, _| if (30..60).contains(&second) { 80 } else { 40 }).expect("work");
        near(even.peak_to_mean, 1.0);
        near(even.cv, 0.0);
    }

    #[test]
    fn the_worst_window_is_at_least_as_bad_as_the_whole() {
        let turns = measured(2, &[], |second, server| if (second / 10) % 2 == server as u64 { 90 } else { 10 });
        let turns = turns.expect("work");
        near(turns.peak_to_mean, 1.0);
        near(turns.worst_window, 1.8);
        for spread in 0..40u64 {
            let some = measured(3, &[(41, 2, false)], |second, server| (second * 7 + server as u64 * spread) % 31);
            let some = some.expect("work");
            assert!(some.worst_window >= some.peak_to_mean, "{some:?}");
        }
    }
}
