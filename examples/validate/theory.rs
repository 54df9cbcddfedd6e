//! What theory says: formulas with their sources, in units of the mean service time where they are about time.

/// Mean response of M/M/1 (Kleinrock 1975): Poisson arrivals, one worker.
pub fn m_m_1(busy: f64) -> f64 {
    1.0 / (1.0 - busy)
}

/// Erlang's C (1917): the probability that all of `c` workers are busy.
pub fn erlang_c(c: u32, busy: f64) -> f64 {
    let offered = busy * f64::from(c);
    let blocked = (1..=c).fold(1.0, |b, k| offered * b / (f64::from(k) + offered * b));
    blocked / (1.0 - busy * (1.0 - blocked))
}

/// Mean response of M/M/c: workers that share a queue.
pub fn m_m_c(c: u32, busy: f64) -> f64 {
    1.0 + erlang_c(c, busy) / (f64::from(c) * (1.0 - busy))
}

/// Mean response of `E_n`/M/1: what round robin over `n` servers makes of Poisson arrivals. Sigma by iteration.
pub fn e_n_m_1(n: u32, busy: f64) -> f64 {
    let rate = f64::from(n) * busy;
    let sigma = (0..2_000).fold(0.5, |s: f64, _| (rate / (rate + 1.0 - s)).powi(i32::try_from(n).expect("few")));
    1.0 / (1.0 - sigma)
}

/// Mean response with the better of two random choices among infinitely many servers (Mitzenmacher 2001, Vvedenskaya,
/// Dobrushin and Karpelevich 1996).
pub fn two_choices(busy: f64) -> f64 {
    (1..40).map(|i| libm::pow(busy, 2f64.powi(i) - 2.0)).sum()
}

/// The machine-repairman formula M/M/c//K: mean response of `users` who think for `think` service times.
pub fn repairman(users: u32, workers: u32, think: f64) -> f64 {
    let mut weights = vec![1.0];
    for n in 1..=users {
        let arrivals = f64::from(users - n + 1) / think;
        weights.push(weights.last().expect("not empty") * arrivals / f64::from(n.min(workers)));
    }
    let sum = |of: &dyn Fn(u32) -> f64| (0..=users).zip(&weights).map(|(n, w)| of(n) * w).sum::<f64>();
    sum(&f64::from) / sum(&|n| f64::from(n.min(workers)))
}

/// Mean-value analysis (Reiser and Lavenberg 1980): the response of equal servers, one worker each, chosen at random, and
/// users who think for `think` service times.
pub fn mean_value(users: u32, servers: u32, think: f64) -> f64 {
    let mut queued = 0.0;
    let mut response = 1.0;
    for n in 1..=users {
        response = 1.0 + queued;
        queued = f64::from(n) / (think + response) * response / f64::from(servers);
    }
    response
}

/// Share of carts whose `adds` all met the server that answers the checkout, chosen at random among `servers`.
pub fn whole_by_luck(servers: u32, adds: i32) -> f64 {
    f64::from(servers).powi(-adds)
}

/// Coefficient of variation of the shares of `servers` with so many points each on a hash ring.
pub fn ring_cv(servers: u32, points: u32) -> f64 {
    (f64::from(servers - 1) / (f64::from(servers * points) + 1.0)).sqrt()
}
