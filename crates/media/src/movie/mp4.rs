//! MP4 files with the index at the start, so that they play while they load.

use std::fs::File;
use std::io::{BufWriter, Read, Seek, SeekFrom, Write};
use std::path::Path;

use graph::Size;
use mp4_atom::{
    Atom, Avc1, Avcc, Co64, Codec, Colr, Desc, Dinf, Dref, Encode, FourCC, Ftyp, Hdlr, Header,
    Ilst, Mdat, Mdhd, Mdia, Meta, Minf, Moov, Mvhd, Pasp, ReadFrom, Stbl, Stco, Stsc, StscEntry,
    Stsd, Stss, Stsz, StszSamples, Stts, SttsEntry, Tkhd, Tool, Trak, Udta, Url, Visual, Vmhd,
};
use tempfile::NamedTempFile;

use super::h264::{H264, LARGEST};
use super::yuv::Yuv;
use super::{FrameSink, MovieError, MovieSpec};
use crate::Timing;

/// The movie header counts in milliseconds.
const MOVIE_UNITS: u32 = 1000;

/// The fewest ticks in a second.
const FINE: u32 = 10_000;

/// Frames stored as one chunk.
const CHUNK: usize = 32;

/// The most bytes of an index that are read: hours of frames.
const MOST_INDEX: u64 = 1 << 28;

/// An MP4 file being written. Encoded frames go to a temporary file until the index is known.
pub(super) struct Mp4 {
    spec: MovieSpec,
    encoder: H264,
    out: NamedTempFile,
    samples: BufWriter<File>,
    sizes: Vec<u32>,
    keys: Vec<u32>,
}

impl Mp4 {
    /// Begins a movie in `out`.
    ///
    /// # Errors
    /// Frames larger than the encoder takes.
    pub(super) fn new(spec: MovieSpec, out: NamedTempFile) -> Result<Self, MovieError> {
        let Size { height, width } = spec.size;
        if width.max(height) > LARGEST[0] || width.min(height) > LARGEST[1] {
            let format = "the built-in H.264 encoder";
            let most = Size::new(LARGEST[1], LARGEST[0]);
            return Err(MovieError::Size { format, most, size: spec.size });
        }
        let folder = out.path().parent().unwrap_or_else(|| Path::new("."));
        let samples = BufWriter::new(tempfile::tempfile_in(folder)?);
        let encoder = H264::new(spec.timing.rate().per_second(), spec.quality)?;
        Ok(Self { spec, encoder, out, samples, sizes: Vec::new(), keys: Vec::new() })
    }

    /// Ticks in a second, and how many of them each frame is shown. The clock is fine, as players
    /// expect, and every frame takes a whole number of ticks.
    fn clock(&self) -> (u32, Vec<SttsEntry>) {
        let count = self.sizes.len() as u32;
        let fine = |scale: u32| (FINE / scale).max(1);
        match &self.spec.timing {
            Timing::Constant(rate) => {
                let fine = fine(rate.numerator());
                let sample_delta = rate.denominator() * fine;
                (rate.numerator() * fine, vec![SttsEntry { sample_count: count, sample_delta }])
            }
            Timing::Variable(stamps) => {
                let fine = fine(stamps.scale());
                let mut runs: Vec<SttsEntry> = Vec::new();
                for index in 0..u64::from(count) {
                    let sample_delta = stamps.duration(index).saturating_mul(fine);
                    match runs.last_mut() {
                        Some(run) if run.sample_delta == sample_delta => run.sample_count += 1,
                        _ => runs.push(SttsEntry { sample_count: 1, sample_delta }),
                    }
                }
                (stamps.scale() * fine, runs)
            }
        }
    }

    /// The index, for frames that begin at `offset` in the file.
    fn index(&self, offset: u64) -> Result<Moov, MovieError> {
        let (timescale, durations) = self.clock();
        let ticks: u64 = durations
            .iter()
            .map(|run| u64::from(run.sample_count) * u64::from(run.sample_delta))
            .sum();
        let duration = self.spec.timing.time(self.sizes.len() as u64, MOVIE_UNITS);
        let (width, height) = (
            self.spec.size.width.next_multiple_of(2) as u16,
            self.spec.size.height.next_multiple_of(2) as u16,
        );

        let mut at = offset;
        let chunks: Vec<u64> = self
            .sizes
            .chunks(CHUNK)
            .map(|chunk| {
                let start = at;
                at += chunk.iter().map(|&size| u64::from(size)).sum::<u64>();
                start
            })
            .collect();
        let (stco, co64) = match chunks.iter().map(|&at| u32::try_from(at)).collect() {
            Ok(entries) => (Some(Stco { entries }), None),
            Err(_) => (None, Some(Co64 { entries: chunks })),
        };
        let per_chunk = |first_chunk: usize, samples: usize| StscEntry {
            first_chunk: first_chunk as u32,
            samples_per_chunk: samples as u32,
            sample_description_index: 1,
        };
        let (full, rest) = (self.sizes.len() / CHUNK, self.sizes.len() % CHUNK);
        let mut stsc = Vec::new();
        if full > 0 {
            stsc.push(per_chunk(1, CHUNK));
        }
        if rest > 0 {
            stsc.push(per_chunk(full + 1, rest));
        }
        let stbl = Stbl {
            stsd: Stsd {
                codecs: vec![Codec::Avc1(Avc1 {
                    visual: Visual {
                        data_reference_index: 1,
                        width,
                        height,
                        compressor: "".into(),
                        ..Visual::default()
                    },
                    avcc: Avcc::new(&self.encoder.sequence, &self.encoder.picture)
                        .map_err(failed)?,
                    colr: Some(Colr::Nclx {
                        colour_primaries: 1,
                        transfer_characteristics: 1,
                        matrix_coefficients: 1,
                        full_range_flag: false,
                    }),
                    pasp: Some(Pasp { h_spacing: 1, v_spacing: 1 }),
                    ..Avc1::default()
                })],
            },
            stts: Stts { entries: durations },
            stss: Some(Stss { entries: self.keys.clone() }),
            stsc: Stsc { entries: stsc },
            stsz: Stsz { samples: StszSamples::Different { sizes: self.sizes.clone() } },
            stco,
            co64,
            ..Stbl::default()
        };
        let mdia = Mdia {
            mdhd: Mdhd { timescale, duration: ticks, language: "und".into(), ..Mdhd::default() },
            hdlr: Hdlr { handler: FourCC::new(b"vide"), name: "video".into() },
            minf: Minf {
                vmhd: Some(Vmhd::default()),
                dinf: Dinf { dref: Dref { entries: vec![Url::default().into()] } },
                stbl,
                ..Minf::default()
            },
        };
        let trak = Trak {
            tkhd: Tkhd {
                track_id: 1,
                duration,
                enabled: true,
                in_movie: true,
                width: width.into(),
                height: height.into(),
                ..Tkhd::default()
            },
            mdia,
            ..Trak::default()
        };
        Ok(Moov {
            mvhd: Mvhd {
                timescale: MOVIE_UNITS,
                duration,
                rate: 1.into(),
                volume: 1.into(),
                next_track_id: 2,
                ..Mvhd::default()
            },
            trak: vec![trak],
            udta: Some(self.notes()),
            ..Moov::default()
        })
    }

    /// The program and the recipe that made the movie.
    fn notes(&self) -> Udta {
        let text = |text: &str| (0, 0, text.to_owned());
        let (country_indicator, language_indicator, tool) =
            text(concat!("deepdream ", env!("CARGO_PKG_VERSION")));
        let desc = self.spec.recipe.as_deref().map(|recipe| Desc {
            country_indicator,
            language_indicator,
            text: recipe.to_owned(),
        });
        let ilst = Ilst {
            ctoo: Some(Tool { country_indicator, language_indicator, text: tool }),
            desc,
            ..Ilst::default()
        };
        let hdlr = Hdlr { handler: FourCC::new(b"mdir"), name: String::new() };
        let mut meta = Meta { hdlr, items: Vec::new() };
        meta.push(ilst);
        Udta { meta: Some(meta), ..Udta::default() }
    }
}

impl FrameSink for Mp4 {
    fn frame(&mut self, rgb: &[u8]) -> Result<(), MovieError> {
        let yuv = Yuv::from_rgb(rgb, self.spec.size.width, self.spec.size.height);
        let sample = self.encoder.encode(&yuv)?;
        self.samples.write_all(&sample.data)?;
        let size = u32::try_from(sample.data.len()).map_err(std::io::Error::other)?;
        self.sizes.push(size);
        if sample.key {
            self.keys.push(self.sizes.len() as u32);
        }
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<NamedTempFile, MovieError> {
        if self.sizes.is_empty() {
            return Err(MovieError::Empty);
        }
        let payload: u64 = self.sizes.iter().map(|&size| u64::from(size)).sum();
        let ftyp = Ftyp {
            major_brand: FourCC::new(b"isom"),
            minor_version: 512,
            compatible_brands: [b"isom", b"iso2", b"avc1", b"mp41"].map(FourCC::new).to_vec(),
        };
        let head = |offset: u64| -> Result<Vec<u8>, MovieError> {
            let mut bytes = Vec::new();
            ftyp.encode(&mut bytes).map_err(failed)?;
            self.index(offset)?.encode(&mut bytes).map_err(failed)?;
            let size = usize::try_from(payload).map_err(std::io::Error::other)?;
            Header { kind: Mdat::KIND, size: Some(size) }.encode(&mut bytes).map_err(failed)?;
            Ok(bytes)
        };
        // Where the frames begin changes the index's length only through the width of its offsets.
        let mut bytes = head(payload)?;
        for _ in 0..2 {
            bytes = head(bytes.len() as u64)?;
        }
        let this = *self;
        let mut samples = this.samples.into_inner().map_err(|error| error.into_error())?;
        samples.seek(SeekFrom::Start(0))?;
        let mut out = this.out;
        out.write_all(&bytes)?;
        std::io::copy(&mut samples, out.as_file_mut())?;
        Ok(out)
    }
}

/// The description in an MP4's index: the recipe, if it has one.
pub(super) fn recipe_of(path: &Path) -> Option<String> {
    let mut file = File::open(path).ok()?;
    let length = file.metadata().ok()?.len();
    let mut at = 0;
    while at < length {
        file.seek(SeekFrom::Start(at)).ok()?;
        let header = <Option<Header> as ReadFrom>::read_from(&mut file).ok()??;
        let body = file.stream_position().ok()?;
        let size = header.size.map_or(length - body, |size| size as u64);
        if header.kind == Moov::KIND {
            if size > MOST_INDEX.min(length - body) {
                return None;
            }
            let mut bytes = vec![0; size as usize];
            file.read_exact(&mut bytes).ok()?;
            let moov = Moov::decode_body(&mut &bytes[..]).ok()?;
            let meta = moov.udta?.meta?;
            return meta.get::<Ilst>()?.desc.clone().map(|description| description.text);
        }
        at = body.checked_add(size)?;
    }
    None
}

fn failed(error: mp4_atom::Error) -> MovieError {
    MovieError::Encoder { encoder: "MP4", problem: error.to_string() }
}
