//! A small hash that is the same everywhere and always: FNV-1a with 64 bits. It tells texts apart that differ by
//! accident; whoever wants two texts with one hash can make them.

/// A hash in the making.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Fnv {
        Fnv(0xcbf2_9ce4_8422_2325)
    }
}

impl Fnv {
    /// Takes in bytes.
    pub fn bytes(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    /// Takes in a text and where it ends, so that `ab`, `c` is not `a`, `bc`.
    pub fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
        // No text contains this byte.
        self.bytes(&[0xff]);
    }

    /// Takes in a number.
    pub fn number(&mut self, number: u64) {
        self.bytes(&number.to_le_bytes());
    }

    /// The hash of everything taken in.
    #[must_use]
    pub fn hash(self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_hash_that_others_compute() {
        let of = |text: &str| {
            let mut fnv = Fnv::default();
            fnv.bytes(text.as_bytes());
            fnv.hash()
        };
        assert_eq!(
            [of(""), of("a"), of("foobar")],
            [0xcbf2_9ce4_8422_2325, 0xaf63_dc4c_8601_ec8c, 0x8594_4171_f739_67e8]
        );
    }

    #[test]
    fn texts_do_not_run_into_each_other() {
        let of = |texts: [&str; 2]| {
            let mut fnv = Fnv::default();
            for text in texts {
                fnv.text(text);
            }
            fnv.hash()
        };
        assert_ne!(of(["ab", "c"]), of(["a", "bc"]));
    }
}
