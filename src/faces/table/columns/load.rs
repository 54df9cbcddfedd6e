//! Columns about the load of each server.

use std::collections::BTreeMap;

use super::{Column, Source, nothing, plain, with_half};
use crate::results::statistics::Summary;

impl Source<'_> {
    pub(super) fn busiest(&self) -> Option<Column> {
        let several = |summary: &Summary| summary.get("load.per_server.1.busy").is_some();
        self.summaries.iter().any(several).then(|| {
            self.column("busiest", ["busiest", "x mean"], 8, |summary| match summary.get("load.peak_to_mean") {
                Some(peak) if several(summary) => plain(with_half(peak, &|x| format!("{x:.2}"))),
                _ => nothing(),
            })
        })
    }

    /// `99/24/24 %`: how busy each server was.
    pub(super) fn busy(&self) -> Option<Column> {
        self.by_server("busy", "busy, server", &busy)
    }

    /// `33/33/33 %`: the share of the requests that each server was sent, whatever became of them.
    pub(super) fn requests_by_server(&self) -> Option<Column> {
        self.by_server("requests-by-server", "requests,", &requests)
    }

    /// A share for each server, for pools of two to six servers. Over several runs the servers are ordered from the
    /// largest share: which server that is may differ between runs, and means by name would hide it.
    fn by_server(&self, name: &str, head: &str, share: &dyn Fn(&Figures) -> Vec<f64>) -> Option<Column> {
        let shares = |summary: &Summary| mean_shares(summary, share);
        let most = self.summaries.iter().map(|summary| shares(summary).len()).max()?;
        let several = self.summaries.iter().any(|summary| summary.each.len() > 1);
        let (one, many) =
            if name == "busy" { ("by server", "busiest first") } else { ("server by server", "most first") };
        (2..=6).contains(&most).then(|| {
            self.column(name, [head, if several { many } else { one }], 6, |summary| {
                let shares: Vec<String> = shares(summary).iter().map(|x| format!("{:.0}", 100.0 * x)).collect();
                if shares.is_empty() { nothing() } else { plain(format!("{} %", shares.join("/"))) }
            })
        })
    }
}

type Figures = BTreeMap<String, f64>;

/// A figure of each server of a run.
fn each(figures: &Figures, name: &str) -> Vec<f64> {
    let servers = (0..).take_while(|i| figures.contains_key(&format!("load.per_server.{i}.busy")));
    servers.map(|i| figures.get(&format!("load.per_server.{i}.{name}")).copied().unwrap_or(0.0)).collect()
}

fn busy(figures: &Figures) -> Vec<f64> {
    each(figures, "busy")
}

fn requests(figures: &Figures) -> Vec<f64> {
    let sent =
        each(figures, "requests").into_iter().zip(each(figures, "dropped")).map(|(served, dropped)| served + dropped);
    let sent: Vec<f64> = sent.collect();
    let all: f64 = sent.iter().sum();
    if all > 0.0 { sent.into_iter().map(|sent| sent / all).collect() } else { Vec::new() }
}

/// Each server's share, or over several runs the mean of the largest, of the next, and so on.
#[expect(clippy::cast_precision_loss, reason = "a mean")]
fn mean_shares(summary: &Summary, share: &dyn Fn(&Figures) -> Vec<f64>) -> Vec<f64> {
    let runs = summary.each.len();
    let mut sums: Vec<f64> = Vec::new();
    for (_, figures) in &summary.each {
        let mut shares = share(figures);
        if runs > 1 {
            shares.sort_by(|a, b| b.total_cmp(a));
        }
        sums.resize(shares.len().max(sums.len()), 0.0);
        sums.iter_mut().zip(&shares).for_each(|(sum, share)| *sum += share / runs as f64);
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::sample::{several_runs, sticky_crash};

    /// Who gets most of the requests includes those that fail at once.
    #[test]
    fn requests_of_a_server_count_whatever_becomes_of_them() {
        let mut report = sticky_crash();
        report.scenario.columns = vec!["requests-by-server".into()];
        let servers = &mut report.variants[0].runs[0].figures.load.per_server;
        for (server, (served, dropped)) in servers.iter_mut().zip([(230, 0), (200, 340), (230, 0)]) {
            (server.requests, server.dropped) = (served, dropped);
        }
        let cells = |report: &crate::results::Report| {
            let columns = super::super::choose(report, &Summary::all(&report.variants));
            (columns[0].head[1].clone(), columns[0].cells[0].figure.clone())
        };
        assert_eq!(cells(&report), ("server by server".into(), "23/54/23 %".into()));
        let mut report = several_runs();
        report.scenario.columns = vec!["requests-by-server".into()];
        assert_eq!(cells(&report), ("most first".into(), "33/33/33 %".into()));
    }
}
