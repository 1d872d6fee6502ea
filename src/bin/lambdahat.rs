//! The native command line.

fn main() -> std::process::ExitCode {
    #[cfg(not(target_arch = "wasm32"))]
    return lambdahat::cli::main();
    #[cfg(target_arch = "wasm32")]
    std::process::ExitCode::FAILURE
}
