//! DynamoDB in memory (dynoxide) on a free port of the loopback, which is printed; it ends with its standard input.

use dynoxide::{Database, server};
use std::io::{Read, Write};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?.port());
    std::io::stdout().flush()?;
    std::thread::spawn(|| {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        std::process::exit(0);
    });
    server::serve_on(listener, Database::memory()?).await;
    Ok(())
}
