//! Values as a scenario writes them: the schema shows defaults like that.

use serde::{Serialize, Serializer};

use super::{Affinity, CookieLife, Forgets, Journey};
use crate::base::Step;

impl Serialize for Affinity {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Affinity::None => "none".serialize(serializer),
            Affinity::Cookie(life) => {
                let life = match life {
                    CookieLife::Visit => "visit".into(),
                    CookieLife::User => "user".into(),
                    CookieLife::For(time) => time.to_string(),
                };
                serializer.collect_map([("cookie", life)])
            }
        }
    }
}

impl Serialize for Forgets {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Forgets::Everything => "all".serialize(serializer),
            Forgets::Last(time) => time.serialize(serializer),
        }
    }
}

impl Serialize for Journey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        #[serde(untagged)]
        enum Moment<'a> {
            One(Step),
            AtOnce(&'a [Step]),
        }
        serializer.collect_seq(self.moments().map(|moment| match &self[moment] {
            [step] => Moment::One(*step),
            steps => Moment::AtOnce(steps),
        }))
    }
}
