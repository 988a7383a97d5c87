//! Feishu's named colours.

use std::str::FromStr;

use crate::Error;

/// An enum of colours, their names on the wire, and the way back from a name.
macro_rules! colors {
    ($(#[$doc:meta])* $what:literal $name:ident { $($color:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[non_exhaustive]
        #[expect(missing_docs, reason = "they are colours")]
        pub enum $name {
            $($color),+
        }

        impl $name {
            /// Every one.
            pub const ALL: &[Self] = &[$(Self::$color),+];

            /// As Feishu writes it.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$color => $word),+
                }
            }
        }

        impl FromStr for $name {
            type Err = Error;

            /// Reads a colour as Feishu writes it.
            ///
            /// # Errors
            /// [`Error::Config`] for any other word, with those that there are.
            fn from_str(word: &str) -> Result<Self, Error> {
                match word {
                    $($word => Ok(Self::$color),)+
                    _ => Err(Error::Config { what: concat!($what, " is one of", $(" ", $word),+).to_owned(), source: None }),
                }
            }
        }
    };
}

colors! {
    /// The colour of a card's header.
    "a header's colour" Template {
        Blue = "blue",
        Wathet = "wathet",
        Turquoise = "turquoise",
        Green = "green",
        Yellow = "yellow",
        Orange = "orange",
        Red = "red",
        Carmine = "carmine",
        Violet = "violet",
        Purple = "purple",
        Indigo = "indigo",
        Grey = "grey",
    }
}

colors! {
    /// The colour of a tag behind a title.
    "a tag's colour" TagColor {
        Neutral = "neutral",
        Blue = "blue",
        Turquoise = "turquoise",
        Lime = "lime",
        Orange = "orange",
        Violet = "violet",
        Indigo = "indigo",
        Wathet = "wathet",
        Green = "green",
        Yellow = "yellow",
        Red = "red",
        Purple = "purple",
        Carmine = "carmine",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_colour_is_read_as_it_is_written() {
        for color in Template::ALL {
            assert_eq!(color.as_str().parse::<Template>().expect("a colour"), *color);
        }
        for color in TagColor::ALL {
            assert_eq!(color.as_str().parse::<TagColor>().expect("a colour"), *color);
        }
        let error = "pink".parse::<Template>().expect_err("no colour").to_string();
        assert!(error.contains("a header's colour is one of blue wathet"), "{error}");
    }
}
