//! Numbers of a tensor back on the host.

use super::{Failure, FailureReason};
use burn::tensor::Tensor;

/// Reads a tensor back, waiting for the device as browsers demand.
pub async fn read(tensor: Tensor<1>) -> Result<Vec<f32>, Failure> {
    let lost = |error: String| Failure {
        reason: FailureReason::Device,
        message: format!(
            "The device stopped answering ({}). What was measured is kept; train on the CPU to go on.",
            root_cause(&error)
        ),
    };
    let data = tensor.into_data_async().await.map_err(|e| lost(format!("{e:?}")))?;
    Ok(data.iter::<f32>().collect())
}

/// The innermost cause in an error's chain as Burn prints it: a line each, the outermost first, a backtrace
/// at the end.
fn root_cause(error: &str) -> &str {
    let chain = error.split("Backtrace:").next().unwrap_or_default().trim();
    chain.lines().next_back().unwrap_or("no reason given").trim().trim_end_matches('.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_chain_gives_its_innermost_cause() {
        let lost = "The device is poisoned\nCaused by:\n  Destroyed: Device was destroyed.\nBacktrace:\nNo backtrace available";
        assert_eq!(root_cause(lost), "Destroyed: Device was destroyed");
        assert_eq!(root_cause("out of memory"), "out of memory");
        assert_eq!(root_cause(""), "no reason given");
    }
}
