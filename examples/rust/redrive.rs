//! Gives the dead letters of a group back to it, once the reason is mended.
//!
//! usage: redrive HOST:PORT STREAM        (cargo add redis)
//!
//! Each letter is back in the group or still in STREAM:dead, whenever this stops. So after an
//! error, run it again.

use std::error::Error;
use std::io::Write;
use std::{env, io};

use redis::{Client, cmd};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [address, stream] = arguments.as_slice() else {
        return Err("usage: redrive HOST:PORT STREAM".into());
    };
    let mut connection = Client::open(format!("redis://{address}"))?.get_connection()?;
    let (mut start, mut count) = ("0-0".to_owned(), 0);
    loop {
        // A call takes a part of them, and says where the next one goes on.
        let mut redrive = cmd("XREDRIVE");
        redrive.arg(format!("{stream}:dead")).arg(stream);
        redrive.arg("GROUP").arg("workers").arg("START").arg(&start);
        let (next, back): (String, Vec<String>) = redrive.query(&mut connection)?;
        count += back.len();
        if next == "0-0" {
            break;
        }
        start = next;
    }
    writeln!(io::stdout(), "{count} are back")?;
    Ok(())
}
