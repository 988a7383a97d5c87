//! An answer that is no error, read in one go: nearly all are of that kind, and a listing is long.

use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeSeed, Deserializer, Error, IntoDeserializer, MapAccess, Visitor};
use serde::forward_to_deserialize_any;

/// A result, with what every answer has beside it. Reading fails when the answer is an error, or not as documented;
/// what it is then is for others to tell.
pub(crate) struct Opened<T> {
    pub(crate) request_id: Option<String>,
    pub(crate) result: T,
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Opened<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Entries<T> {
            type Value = Opened<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an answer without an error")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Opened<T>, A::Error> {
                let mut request_id = None;
                let spy = Spy { map, here: false, request_id: &mut request_id };
                let result = T::deserialize(MapAccessDeserializer::new(spy))?;
                Ok(Opened { request_id, result })
            }
        }

        deserializer.deserialize_map(Entries(PhantomData))
    }
}

/// Hands every entry on, and keeps a copy of the RequestId.
struct Spy<'a, A> {
    map: A,
    /// The next value is the RequestId.
    here: bool,
    request_id: &'a mut Option<String>,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Spy<'_, A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, A::Error> {
        self.map.next_key_seed(Name { seed, is_request_id: &mut self.here })
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, A::Error> {
        if !std::mem::take(&mut self.here) {
            return self.map.next_value_seed(seed);
        }
        let request_id: Option<String> = self.map.next_value()?;
        if self.request_id.is_some() {
            return Err(A::Error::duplicate_field(REQUEST_ID));
        }
        self.request_id.clone_from(&request_id);
        seed.deserialize(Copy { text: request_id, error: PhantomData })
    }
}

const REQUEST_ID: &str = "RequestId";

/// The name of an entry, for whoever `seed` is of.
struct Name<'a, K> {
    seed: K,
    is_request_id: &'a mut bool,
}

impl<'de, K: DeserializeSeed<'de>> DeserializeSeed<'de> for Name<'_, K> {
    type Value = K::Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<K::Value, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl<'de, K: DeserializeSeed<'de>> Visitor<'de> for Name<'_, K> {
    type Value = K::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<K::Value, E> {
        match name {
            "Error" => return Err(E::custom("the answer is an error")),
            REQUEST_ID => *self.is_request_id = true,
            _ => {}
        }
        self.seed.deserialize(name.into_deserializer())
    }
}

/// A text that may not be there, to be read again.
struct Copy<E> {
    text: Option<String>,
    error: PhantomData<E>,
}

impl<'de, E: Error> Deserializer<'de> for Copy<E> {
    type Error = E;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, E> {
        match self.text {
            Some(text) => visitor.visit_some(text.into_deserializer()),
            None => visitor.visit_none(),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(rename_all = "PascalCase")]
    struct Plain {
        total: Option<u64>,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(rename_all = "PascalCase")]
    struct Curious {
        request_id: Option<String>,
        total: Option<u64>,
    }

    fn read<T: for<'de> Deserialize<'de>>(text: &str) -> Option<(Option<String>, T)> {
        serde_json::from_str::<Opened<T>>(text).ok().map(|opened| (opened.request_id, opened.result))
    }

    #[test]
    fn the_request_id_is_kept_wherever_it_stands_and_whoever_else_reads_it() {
        let id = || Some("r".to_owned());
        for text in [r#"{"Total":7,"RequestId":"r"}"#, r#"{"RequestId":"r","New":[{}],"Total":7}"#] {
            assert_eq!(read(text), Some((id(), Plain { total: Some(7) })));
            assert_eq!(read(text), Some((id(), Curious { request_id: id(), total: Some(7) })));
        }
        for text in [r#"{"Total":7}"#, r#"{"Total":7,"RequestId":null}"#] {
            assert_eq!(read(text), Some((None, Plain { total: Some(7) })));
            assert_eq!(read(text), Some((None, Curious { request_id: None, total: Some(7) })));
        }
    }

    #[test]
    fn an_error_and_what_is_not_as_documented_are_left_to_others() {
        for text in [
            r#"{"Error":{"Code":"InternalError","Message":""},"RequestId":"r"}"#,
            r#"{"Total":7,"Error":null,"RequestId":"r"}"#,
            r#"{"Total":"seven","RequestId":"r"}"#,
            r#"{"Total":7,"RequestId":8}"#,
            r#"{"Total":7,"RequestId":"r","RequestId":"s"}"#,
            r#"{"Total":7"#,
            "[]",
            "7",
        ] {
            assert_eq!(read::<Plain>(text), None, "{text}");
        }
    }
}
