//! Messages of protocol buffers, <https://protobuf.dev/programming-guides/encoding/>: as much of them as is
//! read here.

/// What one cannot go on behind.
pub(super) struct Malformed;

/// A field's value.
pub(super) enum Value<'a> {
    Number(u64),
    Bytes(&'a [u8]),
    /// Of a fixed length; nothing that is read here is.
    Fixed,
}

/// The fields of a message: their numbers and values.
pub(super) struct Fields<'a>(pub(super) &'a [u8]);

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(u64, Value<'a>), Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_none() {
            self.0 = &[];
        }
        Some(field.ok_or(Malformed))
    }
}

impl<'a> Fields<'a> {
    fn field(&mut self) -> Option<(u64, Value<'a>)> {
        let tag = self.varint()?;
        let value = match tag & 7 {
            0 => Value::Number(self.varint()?),
            1 => self.bytes(8).map(|_| Value::Fixed)?,
            2 => {
                let length = usize::try_from(self.varint()?).ok()?;
                Value::Bytes(self.bytes(length)?)
            }
            5 => self.bytes(4).map(|_| Value::Fixed)?,
            _ => return None,
        };
        Some((tag >> 3, value))
    }

    fn bytes(&mut self, length: usize) -> Option<&'a [u8]> {
        let (bytes, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(bytes)
    }

    /// Seven bits in each byte, the lowest first; the highest bit says that another byte follows.
    fn varint(&mut self) -> Option<u64> {
        let mut number = 0;
        for place in 0..10 {
            let (&byte, rest) = self.0.split_first()?;
            self.0 = rest;
            let bits = u64::from(byte & 0x7F);
            // Of the tenth byte, one bit is left.
            if place == 9 && bits > 1 {
                return None;
            }
            number |= bits << (7 * place);
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fields(message: &[u8]) -> Option<Vec<(u64, Option<u64>, usize)>> {
        let fields = Fields(message).map(|field| match field.ok()? {
            (name, Value::Number(number)) => Some((name, Some(number), 0)),
            (name, Value::Bytes(bytes)) => Some((name, None, bytes.len())),
            (name, Value::Fixed) => Some((name, None, 0)),
        });
        fields.collect()
    }

    #[test]
    fn fields_are_read_or_malformed() {
        let known = b"\x08\x96\x01\x12\x07testing\x19\0\0\0\0\0\0\0\0\x25\0\0\0\0\xf8\x01\x05";
        let expected = [
            (1, Some(150), 0),
            (2, None, 7),
            (3, None, 0),
            (4, None, 0),
            (31, Some(5), 0),
        ];
        assert_eq!(fields(known).unwrap(), expected);
        let largest = b"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01";
        assert_eq!(fields(largest).unwrap(), [(1, Some(u64::MAX), 0)]);
        for malformed in [
            b"\x08" as &[u8],
            b"\x80",
            b"\x08\x80",
            b"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02",
            b"\x08\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01",
            b"\x12\x02a",
            b"\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01a",
            b"\x19\0\0\0",
            b"\x25\0",
            b"\x0b",
            b"\x0f",
        ] {
            assert_eq!(fields(malformed), None, "{malformed:?}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_come_to_an_end(bytes: Vec<u8>) {
            prop_assert!(Fields(&bytes).count() <= bytes.len());
        }
    }
}
