//! Time that only goes forward.

/// Milliseconds since the process's first call.
#[cfg(not(target_arch = "wasm32"))]
pub fn clock() -> f64 {
    static START: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
    START.get_or_init(std::time::Instant::now).elapsed().as_secs_f64() * 1e3
}
