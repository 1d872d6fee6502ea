//! One wasm module: the page, or, inside a dedicated worker, the engine. Never of two versions.

fn main() {
    #[cfg(target_arch = "wasm32")]
    lambdahat::ui::main();
}
