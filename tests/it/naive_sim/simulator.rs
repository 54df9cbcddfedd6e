//! One loop over one sorted list, every health check played, a map for every cart: nothing shared but types and draws.

use std::collections::{BTreeMap, VecDeque};

use whatcart::base::seed::{Key, Purpose, Seed};
use whatcart::base::time::Instant;
use whatcart::base::{Command, Items, Outcome, Refusal, Reply, Visit};
use whatcart::history::{AbandonReason, Ending, Request, Seen};
use whatcart::scenario::{Affinity, CartHome, Scenario};

use super::workload::{Due, User, commands, due, users, visit};

/// What the users of a plain scenario see until `end`.
#[expect(clippy::too_many_lines, reason = "to be read from top to bottom, with nothing behind a name")]
pub fn naive(s: &Scenario, seed: Seed, end: Instant) -> Vec<(Instant, Visit, Seen)> {
    let (commands, think, work) = (commands(s), s.users.think.sampler(), s.servers.service.sampler());
    let (health, retries, sticky) =
        (&s.balancer.health, s.balancer.retries.get(), s.balancer.affinity != Affinity::None);
    let (n, workers) = (s.servers.count.index(), (0..s.servers.workers.index()).rev().collect::<Vec<usize>>());
    let (mut up, mut believed, mut against, mut next) = (vec![true; n], vec![true; n], vec![0; n], 0);
    let (mut idle, mut busy, mut queue) =
        (vec![workers.clone(); n], vec![BTreeMap::new(); n], vec![VecDeque::new(); n]);
    let (mut sent, mut carts, mut told) = (Vec::<(usize, Key, Request, Items)>::new(), BTreeMap::new(), Vec::new());
    let (mut users, mut list, mut now, mut at_once) = (users(s), due(s, seed), Instant::ZERO, Vec::<(usize, _)>::new());
    loop {
        // A request looks for a server, or its user is told how it ended.
        while let Some((id, ended)) = at_once.pop() {
            let (u, key, request, _) = sent[id];
            let user = &mut users[u];
            let Some(outcome) = ended else {
                let fits = |i: &usize| believed[*i] && !user.tried.contains(i);
                let pinned = user.pin.filter(fits);
                let server = pinned.or_else(|| (next..next + n).map(|i| i % n).find(fits));
                next = server.filter(|_| pinned.is_none()).map_or(next, |i| (i + 1) % n);
                let refusal = match server {
                    None if user.tried.is_empty() => Some(Refusal::NoServer),
                    None => Some(Refusal::Unreachable),
                    Some(i) if up[i] && queue[i].len() < idle[i].len() + s.servers.queue.index() => {
                        queue[i].push_back(id);
                        continue;
                    }
                    Some(i) if up[i] => {
                        user.pin = sticky.then_some(i);
                        Some(Refusal::QueueFull)
                    }
                    Some(_) if user.retries == retries => Some(Refusal::Unreachable),
                    Some(i) => {
                        user.retries += 1;
                        user.tried.push(i);
                        None
                    }
                };
                at_once.push((id, refusal.map(Outcome::Refused)));
                continue;
            };
            let ok = matches!(outcome, Outcome::Ok(_));
            let settled = ok || u64::from(key.attempt) == s.users.patience.get();
            told.push((now, visit(key), Seen::Told { request, sent: user.sent, meant: user.meant, outcome, settled }));
            user.waits_for = None;
            user.key = Key { step: key.step + u16::from(ok), attempt: if ok { 0 } else { key.attempt + 1 }, ..key };
            let rest = think.sample(&mut seed.draw(Purpose::Think, user.key));
            let (again, leaves) = (
                now + if settled { rest } else { s.users.pause.get() },
                settled && (!ok || usize::from(user.key.step) == commands.len()),
            );
            list.extend((!leaves || again < Instant::ZERO + s.duration.get()).then_some((again, Due::Wake(u))));
            if leaves {
                let trouble = if matches!(outcome, Outcome::Refused(_)) {
                    AbandonReason::Refused
                } else {
                    AbandonReason::Unknown
                };
                told.push((now, visit(key), Seen::Left(if ok { Ending::Finished } else { Ending::GaveUp(trouble) })));
                *user = User { key: Key { visit: key.visit + 1, step: 0, attempt: 0, ..key }, ..User::default() };
            }
        }
        while let Some(i) = (0..n).find(|i| !idle[*i].is_empty() && !queue[*i].is_empty()) {
            let (worker, id) = (idle[i].pop().expect("one"), queue[i].pop_front().expect("one"));
            let (_, key, request, _) = sent[id];
            let asks = u64::from(s.homes.cart == CartHome::SharedStore && request.command.touches_cart());
            let time = work.sample(&mut seed.draw(Purpose::Service, key)) + s.store.latency.sampler().mean() * asks;
            list.insert((now + time, Due::Done(i, worker, id)));
            busy[i].insert(worker, id);
        }
        let Some((at, due)) = list.pop_first().filter(|(at, _)| *at <= end) else { return told };
        now = at;
        match due {
            Due::Crash(_, i, back) if up[i] => {
                up[i] = false;
                carts.retain(|(_, _, server): &(usize, u32, Option<usize>), _| *server != Some(i));
                list.extend(back.map(|after| (now + after, Due::Back(i))));
                idle[i].clone_from(&workers);
                let held = std::mem::take(&mut busy[i]).into_values().chain(queue[i].drain(..));
                let lost: Vec<usize> = held.filter(|id| users[sent[*id].0].waits_for == Some(*id)).collect();
                for id in lost.into_iter().rev() {
                    let (user, command) = (&mut users[sent[id].0], sent[id].2.command);
                    let again = command.is_idempotent() && user.retries < retries;
                    (user.retries, user.tried) = (user.retries + u64::from(again), vec![i]);
                    at_once.push((id, (!again).then_some(Outcome::Failed)));
                }
            }
            Due::Back(i) => up[i] = true,
            Due::Check(i) => {
                against[i] = if up[i] == believed[i] { 0 } else { against[i] + 1 };
                if against[i] == if believed[i] { health.fall.get() } else { health.rise.get() } {
                    (believed[i], against[i]) = (up[i], 0);
                }
                list.insert((now + health.interval.get(), Due::Check(i)));
            }
            Due::Done(i, worker, id) if busy[i].get(&worker) == Some(&id) => {
                let (u, key, request, token) = sent[id];
                let (user, mut reply) = (&mut users[u], Reply::Done);
                if request.command.touches_cart() && user.key.visit == key.visit {
                    let place = (u, key.visit, (s.homes.cart == CartHome::ServerMemory).then_some(i));
                    let kept = carts.get(&place).copied().unwrap_or_default();
                    let mut items = if s.homes.cart == CartHome::SignedToken { token } else { kept };
                    if let Command::Add(item) = request.command {
                        items = items.with(item);
                    } else if request.command == Command::View {
                        reply = Reply::Cart(items);
                    } else if let Some(before) = user.order {
                        reply = Reply::Charged(before);
                    } else {
                        told.push((now, visit(key), Seen::Billed(items)));
                        (reply, user.order) = (Reply::Charged(items), Some(std::mem::take(&mut items)));
                    }
                    carts.insert(place, items);
                    user.token = if user.waits_for == Some(id) { items } else { user.token };
                }
                busy[i].remove(&worker);
                idle[i].push(worker);
                if user.waits_for == Some(id) {
                    user.pin = sticky.then_some(i);
                    at_once.push((id, Some(Outcome::Ok(reply))));
                }
            }
            Due::Patience(id) if users[sent[id].0].waits_for == Some(id) => at_once.push((id, Some(Outcome::TimedOut))),
            Due::Wake(u) => {
                let (user, id) = (&mut users[u], sent.len());
                let Key { step, attempt, .. } = user.key;
                let request = Request { step, attempt, command: commands[usize::from(step)] };
                told.extend(((step, attempt) == (0, 0)).then_some((now, visit(user.key), Seen::Began)));
                told.push((now, visit(user.key), Seen::Sent(request)));
                user.meant = if attempt == 0 { now } else { user.meant };
                (user.sent, user.waits_for, user.retries, user.tried) = (now, Some(id), 0, Vec::new());
                sent.push((u, user.key, request, user.token));
                at_once.push((id, None));
                list.insert((now + s.users.timeout.get(), Due::Patience(id)));
            }
            Due::Crash(..) | Due::Done(..) | Due::Patience(_) => {}
        }
    }
}
