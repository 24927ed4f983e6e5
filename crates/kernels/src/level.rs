//! Which instructions the kernels may use.
//!
//! The level is found once, from what the processor has; `DEEPDREAM_CPU` can lower it (never raise
//! it), to compare levels or to reproduce a picture made on a lesser machine.

use std::fmt;
use std::str::FromStr;

/// A set of vector instructions, in rising order of speed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CpuLevel {
    /// Plain loops: runs everywhere, and is the truth the others are checked against.
    Scalar,
    /// aarch64 NEON.
    Neon,
    /// x86-64 AVX2 with FMA.
    Avx2,
    /// x86-64 AVX-512 F, BW, DQ and VL.
    Avx512,
}

impl CpuLevel {
    /// The environment variable that lowers the level.
    pub const VARIABLE: &str = "DEEPDREAM_CPU";

    /// All levels, lowest first.
    const ALL: [CpuLevel; 4] = [CpuLevel::Scalar, CpuLevel::Neon, CpuLevel::Avx2, CpuLevel::Avx512];

    /// Every level this processor has, lowest first.
    pub fn available() -> Vec<CpuLevel> {
        Self::ALL.into_iter().filter(|level| level.is_available()).collect()
    }

    #[cfg(target_arch = "x86_64")]
    fn is_available(self) -> bool {
        let avx2 = || is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
        match self {
            CpuLevel::Scalar => true,
            CpuLevel::Neon => false,
            CpuLevel::Avx2 => avx2(),
            CpuLevel::Avx512 => {
                avx2()
                    && is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512bw")
                    && is_x86_feature_detected!("avx512dq")
                    && is_x86_feature_detected!("avx512vl")
            }
        }
    }

    #[cfg(not(target_arch = "x86_64"))]
    fn is_available(self) -> bool {
        match self {
            CpuLevel::Scalar => true,
            CpuLevel::Neon => cfg!(target_arch = "aarch64"),
            CpuLevel::Avx2 | CpuLevel::Avx512 => false,
        }
    }

    /// The best level this processor has, or the one `DEEPDREAM_CPU` names if that is lower.
    ///
    /// # Errors
    /// The text of a variable that names no level.
    pub fn detect() -> Result<CpuLevel, String> {
        let wanted = match std::env::var(Self::VARIABLE) {
            Ok(name) => name.parse()?,
            Err(_) => CpuLevel::Avx512,
        };
        Ok(wanted.or_below())
    }

    /// This level, or the best one below it that this processor has.
    pub(crate) fn or_below(self) -> CpuLevel {
        Self::available().into_iter().rfind(|level| *level <= self).unwrap_or(CpuLevel::Scalar)
    }
}

impl fmt::Display for CpuLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            CpuLevel::Scalar => "scalar",
            CpuLevel::Neon => "neon",
            CpuLevel::Avx2 => "avx2",
            CpuLevel::Avx512 => "avx512",
        })
    }
}

impl FromStr for CpuLevel {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|level| level.to_string() == name)
            .ok_or_else(|| format!("`{name}` is not a CPU level: use scalar, neon, avx2 or avx512"))
    }
}
