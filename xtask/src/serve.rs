//! A static file server for `dist/`: loopback by default, nothing cached, one thread a request.

use anyhow::{Result, anyhow};
use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tiny_http::{Header, Request, Response, Server};

/// A server that answers until the process ends.
#[derive(Debug)]
pub struct Serving {
    /// Where it listens.
    pub address: SocketAddr,
    /// The address of the page, with its path.
    pub url: String,
}

/// Serves a folder under a path (`/` or `/sub/path/`) in the background.
/// Tries `port` and the nineteen after it; 0 takes any free one.
///
/// # Errors
/// If no port is free.
pub fn start(dir: &Path, prefix: &str, port: u16, lan: bool) -> Result<Serving> {
    let ip = IpAddr::V4(if lan {
        Ipv4Addr::UNSPECIFIED
    } else {
        Ipv4Addr::LOCALHOST
    });
    let mut last = anyhow!("no port to try");
    for offset in 0..20 {
        match Server::http(SocketAddr::new(ip, port.saturating_add(offset))) {
            Err(e) => last = anyhow!("port {}: {e}", port.saturating_add(offset)),
            Ok(server) => {
                let Some(address) = server.server_addr().to_ip() else {
                    return Err(anyhow!("no address"));
                };
                spawn(server, dir.to_path_buf(), prefix.to_owned());
                let url = format!("http://127.0.0.1:{}{prefix}", address.port());
                return Ok(Serving { address, url });
            }
        }
    }
    Err(last)
}

fn spawn(server: Server, dir: PathBuf, prefix: String) {
    let server = Arc::new(server);
    // A handful of threads, since a browser asks for several files at once.
    for _ in 0..4 {
        let (server, dir, prefix) = (Arc::clone(&server), dir.clone(), prefix.clone());
        std::thread::spawn(move || {
            while let Ok(request) = server.recv() {
                answer(request, &dir, &prefix);
            }
        });
    }
}

fn answer(request: Request, dir: &Path, prefix: &str) {
    let file = path_of(request.url(), prefix).map(|p| dir.join(p));
    let found = file.and_then(|f| Some((std::fs::read(&f).ok()?, mime(&f))));
    // A visitor who goes away in the middle of an answer is no mistake of ours.
    let _ = match found {
        Some((bytes, kind)) => {
            let mut response = Response::from_data(bytes);
            for (name, value) in [("Content-Type", kind), ("Cache-Control", "no-cache")] {
                if let Ok(header) = Header::from_bytes(name, value) {
                    response.add_header(header);
                }
            }
            request.respond(response)
        }
        None => request.respond(Response::from_string("not found").with_status_code(404)),
    };
}

/// The file a URL names, relative to the served folder; none for what may not be served.
#[must_use]
pub fn path_of(url: &str, prefix: &str) -> Option<PathBuf> {
    let path = url.split(['?', '#']).next()?.strip_prefix(prefix)?;
    let path = decode(path)?;
    let mut file = PathBuf::new();
    for part in path.split('/').filter(|p| !p.is_empty()) {
        if part == ".." || part == "." || part.contains(['\\', ':', '\0']) {
            return None;
        }
        file.push(part);
    }
    if path.is_empty() || path.ends_with('/') {
        file.push("index.html");
    }
    Some(file)
}

/// Undoes percent-encoding; none if it is broken.
fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(b) = rest.next() {
        if b == b'%' {
            let (high, low) = (rest.next()?, rest.next()?);
            let digit = |c: u8| char::from(c).to_digit(16);
            bytes.push(u8::try_from(digit(high)? * 16 + digit(low)?).ok()?);
        } else {
            bytes.push(b);
        }
    }
    String::from_utf8(bytes).ok()
}

/// The MIME type of a file; browsers compile wasm while it streams only under its own.
#[must_use]
pub fn mime(file: &Path) -> &'static str {
    match file.extension().and_then(|e| e.to_str()) {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("wasm") => "application/wasm",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("json") => "application/json",
        Some("webmanifest") => "application/manifest+json",
        Some("txt") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

/// Builds, serves and opens the page; returns only on an error.
///
/// # Errors
/// If no port is free.
pub fn forever(dir: &Path, port: u16, lan: bool, open: bool) -> Result<()> {
    let serving = start(dir, "/", port, lan)?;
    println!("\nlambdahat is at {}", serving.url);
    if lan {
        println!(
            "and, for other machines, on port {} of this one's addresses. Over plain http their browsers\n\
             offer no WebGPU, storage or clipboard, so the page runs on its CPU engine there.",
            serving.address.port()
        );
    }
    println!("Ctrl-C stops it.");
    std::io::stdout().flush()?;
    if open {
        open_browser(&serving.url);
    }
    loop {
        std::thread::park();
    }
}

fn open_browser(url: &str) {
    let (program, args): (&str, &[&str]) = if cfg!(target_os = "macos") {
        ("open", &[])
    } else if cfg!(windows) {
        ("cmd", &["/C", "start", ""])
    } else {
        ("xdg-open", &[])
    };
    let started = std::process::Command::new(program)
        .args(args)
        .arg(url)
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn();
    if started.is_err() {
        println!("(No browser could be opened from here; open the address yourself.)");
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::io::Read;

    #[test]
    fn only_files_inside_the_folder_are_named() {
        assert_eq!(path_of("/", "/"), Some(PathBuf::from("index.html")));
        assert_eq!(path_of("/a/b.js?x#y", "/"), Some(PathBuf::from("a/b.js")));
        assert_eq!(path_of("/sub/", "/sub/"), Some(PathBuf::from("index.html")));
        assert_eq!(path_of("/a%20b", "/"), Some(PathBuf::from("a b")));
        for bad in [
            "/../x",
            "/%2e%2e/x",
            "/a/..%2f..%2fx",
            "/%zz",
            "/c:/x",
            "/%5c..%5cx",
            "/a%",
        ] {
            assert_eq!(path_of(bad, "/"), None, "{bad}");
        }
        assert_eq!(path_of("/other/a", "/sub/"), None);
    }

    #[test]
    fn a_file_arrives_with_its_type_and_a_missing_one_is_a_404() {
        let dir = std::env::temp_dir().join(format!("lambdahat-serve-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        std::fs::write(dir.join("a.wasm"), b"\0asm").unwrap();
        let serving = start(&dir, "/sub/", 0, false).unwrap();
        let get = |path: &str| {
            let mut stream = std::net::TcpStream::connect(serving.address).unwrap();
            write!(stream, "GET {path} HTTP/1.0\r\n\r\n").unwrap();
            let mut text = Vec::new();
            stream.read_to_end(&mut text).unwrap();
            String::from_utf8_lossy(&text).into_owned()
        };
        let good = get("/sub/a.wasm");
        assert!(
            good.contains("200 OK")
                && good.contains("application/wasm")
                && good.contains("no-cache"),
            "{good}"
        );
        assert!(get("/a.wasm").contains("404"));
        assert!(get("/sub/b").contains("404"));
        std::fs::remove_dir_all(&dir).unwrap();
    }
}
