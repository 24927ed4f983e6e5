//! The flow between two grey pictures (binary PGM) as a Middlebury `.flo` file:
//! `flow FROM.pgm TO.pgm OUT.flo [fast|medium|fine]`. What `tools/flow/compare.py` measures.

use std::error::Error;

use dream::flow::{Dis, Plane, Preset};
use kernels::Threads;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [from, to, out, rest @ ..] = &arguments[..] else {
        return Err("usage: flow FROM.pgm TO.pgm OUT.flo [fast|medium|fine]".into());
    };
    let preset = match rest.first().map(String::as_str) {
        Some("fast") => Preset::Fast,
        Some("fine") => Preset::Fine,
        _ => Preset::Medium,
    };
    let (from, to) = (read(from)?, read(to)?);
    let threads = Threads::new(0)?;
    let begun = std::time::Instant::now();
    let field = Dis::new(preset).flow(&threads, &from, &to);
    println!("{:.1} ms", begun.elapsed().as_secs_f64() * 1e3);

    let mut bytes = b"PIEH".to_vec();
    bytes.extend((field.width as u32).to_le_bytes());
    bytes.extend((field.height as u32).to_le_bytes());
    for (dx, dy) in field.dx.iter().zip(&field.dy) {
        bytes.extend(dx.to_le_bytes());
        bytes.extend(dy.to_le_bytes());
    }
    std::fs::write(out, bytes)?;
    Ok(())
}

fn read(path: &str) -> Result<Plane, Box<dyn Error>> {
    let bytes = std::fs::read(path)?;
    let mut fields = bytes.splitn(4, |byte| byte.is_ascii_whitespace());
    let mut word = || -> Result<&str, Box<dyn Error>> {
        Ok(std::str::from_utf8(fields.next().ok_or("not a PGM")?)?)
    };
    if word()? != "P5" {
        return Err(format!("{path} is not a binary PGM").into());
    }
    let (width, height) = (word()?.parse()?, word()?.parse()?);
    let values = fields.next().ok_or("a PGM without pixels")?;
    let values = values.strip_prefix(b"255\n").ok_or("not a PGM of 8 bits")?;
    if values.len() != width * height {
        return Err(format!("{path} holds {} values, not {width}×{height}", values.len()).into());
    }
    Ok(Plane { width, height, data: values.iter().map(|&value| f32::from(value)).collect() })
}
