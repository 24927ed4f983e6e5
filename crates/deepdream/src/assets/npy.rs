//! Directions in NumPy's files (`.npy`): one row of 32- or 64-bit floats.
//!
//! A file is `\x93NUMPY`, a version of two bytes, the length of its header (two bytes, or four from version 2
//! on), the header, a Python dictionary such as `{'descr': '<f4', 'fortran_order': False, 'shape': (512,), }`,
//! and the values.

/// The most values of a direction: no layer has as many channels.
const MOST: usize = 1 << 20;

/// The values of a file.
///
/// # Errors
/// What is no such file, in words.
pub(super) fn read(bytes: &[u8]) -> Result<Vec<f32>, String> {
    let rest = bytes.strip_prefix(b"\x93NUMPY").ok_or("it is not a .npy file")?;
    let cut = || "it ends within its header".to_owned();
    let (version, rest) = rest.split_at_checked(2).ok_or_else(cut)?;
    let (length, rest) = match version[0] {
        1 => {
            let (length, rest) = rest.split_first_chunk::<2>().ok_or_else(cut)?;
            (usize::from(u16::from_le_bytes(*length)), rest)
        }
        2 | 3 => {
            let (length, rest) = rest.split_first_chunk::<4>().ok_or_else(cut)?;
            (u32::from_le_bytes(*length) as usize, rest)
        }
        other => return Err(format!("its version {other} is not known")),
    };
    let (header, values) = rest.split_at_checked(length).ok_or_else(cut)?;
    let header = std::str::from_utf8(header).map_err(|_| "its header is no text")?;
    let count = count(header)?;
    let wide = match entry(header, "'descr'").and_then(|value| value.split('\'').nth(1)) {
        Some("<f4") => false,
        Some("<f8") => true,
        Some(other) => return Err(format!("its values are of type {other}, not <f4 or <f8")),
        None => return Err("its header does not say of what type the values are".into()),
    };
    let size = if wide { 8 } else { 4 };
    if count.checked_mul(size) != Some(values.len()) {
        return Err(format!("it has {} bytes of values for {count} values", values.len()));
    }
    Ok(match wide {
        false => values.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect(),
        true => {
            let value = |bytes: &[u8; 8]| f64::from_le_bytes(*bytes) as f32;
            values.as_chunks().0.iter().map(value).collect()
        }
    })
}

/// What a header has after a key.
fn entry<'a>(header: &'a str, key: &str) -> Option<&'a str> {
    header.split_once(key)?.1.split_once(':').map(|(_, rest)| rest.trim_start())
}

/// How many values there are, of which all but one extent may be 1.
fn count(header: &str) -> Result<usize, String> {
    let shape = entry(header, "'shape'")
        .and_then(|value| value.strip_prefix('(')?.split_once(')'))
        .ok_or("its header does not say how many values it has")?
        .0;
    let sides = shape.split(',').map(str::trim).filter(|side| !side.is_empty());
    let sides: Result<Vec<usize>, _> = sides.map(str::parse).collect();
    let sides = sides.map_err(|_| format!("its shape ({shape}) makes no sense"))?;
    let long: Vec<usize> = sides.into_iter().filter(|side| *side != 1).collect();
    match long[..] {
        [] => Ok(1),
        [count] if count <= MOST => Ok(count),
        [count] => Err(format!("it has {count} values; no layer has so many channels")),
        _ => Err(format!("its shape is ({shape}), not that of one row of values")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(header: &str, values: &[u8]) -> Vec<u8> {
        let length = (header.len() as u16).to_le_bytes();
        [b"\x93NUMPY\x01\x00", &length[..], header.as_bytes(), values].concat()
    }

    fn header(kind: &str, shape: &str) -> String {
        format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': ({shape}), }}   \n")
    }

    #[test]
    fn rows_of_floats_are_read() {
        let single: Vec<u8> = [1.5f32, -2.0, 0.25].iter().flat_map(|x| x.to_le_bytes()).collect();
        let double: Vec<u8> = [1.5f64, -2.0, 0.25].iter().flat_map(|x| x.to_le_bytes()).collect();
        let expected = Ok(vec![1.5, -2.0, 0.25]);
        assert_eq!(read(&file(&header("<f4", "3,"), &single)), expected);
        assert_eq!(read(&file(&header("<f8", "1, 3"), &double)), expected);
        assert_eq!(read(&file(&header("<f4", ""), &single[..4])), Ok(vec![1.5]));
    }

    #[test]
    fn everything_else_is_refused() {
        let values = [0; 12];
        let huge = format!("{}, {}", u64::MAX, u64::MAX);
        for wrong in [
            Vec::new(),
            b"\x93NUMPY".to_vec(),
            b"\x93NUMPY\x01\x00\xff\xff{".to_vec(),
            b"\x93NUMPY\x09\x00\x00\x00".to_vec(),
            b"PK\x03\x04".to_vec(),
            file("{}", &values),
            file(&header("<i4", "3,"), &values),
            file(&header("<f4", "4,"), &values),
            file(&header("<f4", "3, 2"), &values),
            file(&header("<f4", "-3,"), &values),
            file(&header("<f4", "2000000,"), &values),
            file(&header("<f4", &huge), &values),
            file(&header("<f4", &u64::MAX.to_string()), &values),
        ] {
            assert!(read(&wrong).is_err(), "{wrong:?}");
        }
    }
}
