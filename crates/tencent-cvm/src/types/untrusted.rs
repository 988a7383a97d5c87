//! Reading what somebody else wrote without trusting its size or its types.

use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// A list with an end: reading stops with an error at the entry after the `MOST`th. A body of `[{},{},…]` would
/// otherwise take a hundred times its own size in memory.
pub(crate) struct Bounded<T, const MOST: usize>(Vec<T>);

impl<T, const MOST: usize> Bounded<T, MOST> {
    pub(crate) fn into_inner(self) -> Vec<T> {
        self.0
    }
}

impl<T, const MOST: usize> Default for Bounded<T, MOST> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>, const MOST: usize> Deserialize<'de> for Bounded<T, MOST> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries<T, const MOST: usize>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>, const MOST: usize> Visitor<'de> for Entries<T, MOST> {
            type Value = Bounded<T, MOST>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "at most {MOST} entries")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = seq.next_element()? {
                    if entries.len() == MOST {
                        return Err(A::Error::invalid_length(MOST + 1, &self));
                    }
                    entries.push(entry);
                }
                Ok(Bounded(entries))
            }
        }

        deserializer.deserialize_seq(Entries(PhantomData))
    }
}

/// A number that the cloud writes in its own way: `0.38`, `"0.380000"` and `null` are all seen in one price. What
/// is no number is none, rather than the end of everything beside it.
#[derive(Clone, Copy, Default)]
pub(crate) struct Number(Option<f64>);

impl Number {
    /// The number, when there is one and it is not negative.
    pub(crate) fn known(self) -> Option<f64> {
        self.0.filter(|number| number.is_finite() && *number >= 0.0)
    }

    /// The number without its fraction, when it fits.
    pub(crate) fn whole(self) -> Option<u32> {
        let number = self.known().filter(|number| *number <= f64::from(u32::MAX))?;
        Some(number as u32)
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyNumber)
    }
}

struct AnyNumber;

impl<'de> Visitor<'de> for AnyNumber {
    type Value = Number;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number")
    }

    fn visit_f64<E>(self, number: f64) -> Result<Number, E> {
        Ok(Number(Some(number)))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Number, E> {
        Ok(Number(Some(number as f64)))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Number, E> {
        Ok(Number(Some(number as f64)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Number, E> {
        Ok(Number(text.trim().parse().ok()))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Number, E> {
        Ok(Number(None))
    }

    fn visit_unit<E>(self) -> Result<Number, E> {
        Ok(Number(None))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Number, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Number(None))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Number, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Number(None))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_ends_where_its_bound_is() {
        let read = |text: &str| serde_json::from_str::<Bounded<u32, 3>>(text).map(Bounded::into_inner);
        assert_eq!(read("[1,2,3]").expect("three"), [1, 2, 3]);
        assert!(read("[1,2,3,4]").expect_err("four").to_string().contains("at most 3"));
        assert!(read("7").is_err());
    }

    #[test]
    fn a_number_is_read_however_it_is_written() {
        let read = |text: &str| serde_json::from_str::<Number>(text).expect("never an error").known();
        assert_eq!(read("0.38"), Some(0.38));
        assert_eq!(read("\"0.380000\""), Some(0.38));
        assert_eq!(read("7"), Some(7.0));
        for none in ["null", "-1", "-0.5", "\"\"", "\"NaN\"", "\"inf\"", "true", "[1,[2]]", "{\"a\":{}}"] {
            assert_eq!(read(none), None, "{none}");
        }
    }

    #[test]
    fn a_whole_number_fits_or_is_none() {
        let read = |text: &str| serde_json::from_str::<Number>(text).expect("never an error").whole();
        assert_eq!(read("8"), Some(8));
        assert_eq!(read("4294967295"), Some(u32::MAX));
        assert_eq!(read("4294967296"), None);
        assert_eq!(read("1e300"), None);
    }
}
