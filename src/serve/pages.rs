//! The pages that browsers have open: each has its own runs, and is forgotten when nobody calls for a while.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::time::Instant;

use crate::page::Page;

/// The pages that browsers have open, by the name that each gives itself.
pub struct Pages {
    most: usize,
    idle: Duration,
    open: Mutex<BTreeMap<String, OpenPage>>,
}

struct OpenPage {
    page: Arc<Mutex<Page>>,
    last_call: Instant,
}

/// There are as many pages as may be.
pub struct TooMany {
    pub most: usize,
}

impl Pages {
    pub fn new(most: usize, idle: Duration) -> Pages {
        Pages { most, idle, open: Mutex::default() }
    }

    /// The page of this name; a new one if there is none yet.
    pub fn named(&self, name: &str) -> Result<Arc<Mutex<Page>>, TooMany> {
        let now = Instant::now();
        let mut open = self.open.lock().expect("nothing panics while it holds this lock");
        open.retain(|_, page| now < page.last_call + self.idle);
        if open.len() >= self.most && !open.contains_key(name) {
            return Err(TooMany { most: self.most });
        }
        let new = || OpenPage { page: Arc::default(), last_call: now };
        let page = open.entry(name.to_owned()).or_insert_with(new);
        page.last_call = now;
        Ok(page.page.clone())
    }

    /// Forgets a page, such as one whose engine panicked.
    pub fn forget(&self, name: &str) {
        self.open.lock().expect("nothing panics while it holds this lock").remove(name);
    }
}
