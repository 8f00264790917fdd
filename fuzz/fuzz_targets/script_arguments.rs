//! Any bytes for what the libraries of scripts read: they are refused, or what was read can be
//! written, and is then read as the same.
#![no_main]

#[path = "../shared/run.rs"]
mod run;

use libfuzzer_sys::fuzz_target;

/// Each takes the bytes as `ARGV[1]` and others as `ARGV[2]`, and fails with what must not be.
const SCRIPTS: [&[u8]; 5] = [
    b"local ok, read = pcall(cjson.decode, ARGV[1])
      if not ok then return end
      local ok, written = pcall(cjson.encode, read)
      if not ok then return end
      if cjson.encode(cjson.decode(written)) ~= written and type(read) ~= 'table' then
        error('IMPOSSIBLE')
      end",
    b"local ok, read = pcall(cmsgpack.unpack, ARGV[1])
      if not ok then return end
      local ok, written = pcall(cmsgpack.pack, read)
      if ok and cmsgpack.pack(cmsgpack.unpack(written)) ~= written and type(read) ~= 'table' then
        error('IMPOSSIBLE')
      end",
    b"pcall(struct.unpack, ARGV[1], ARGV[2])
      pcall(struct.size, ARGV[1])
      pcall(struct.pack, ARGV[1], ARGV[2], 1, -1.5, 2^53)",
    b"pcall(cmsgpack.unpack_limit, ARGV[1], 3, #ARGV[2])
      pcall(cmsgpack.unpack_one, ARGV[1], #ARGV[2])
      pcall(redis.sha1hex, ARGV[1])
      pcall(redis.log, ARGV[1], ARGV[2])
      pcall(redis.setresp, ARGV[1])
      pcall(redis.set_repl, ARGV[1])
      pcall(bit.tobit, ARGV[1])
      pcall(bit.tohex, ARGV[1], ARGV[2])",
    b"pcall(redis.call, ARGV[1], ARGV[2])
      pcall(redis.acl_check_cmd, ARGV[1], ARGV[2])
      pcall(string.format, ARGV[1], ARGV[2], 1, 2)
      pcall(string.rep, ARGV[1], 100)
      return {ARGV[1], {err = ARGV[2]}, {ok = ARGV[1]}}",
];

fuzz_target!(|bytes: &[u8]| {
    let Some((which, rest)) = bytes.split_first() else {
        return;
    };
    let middle = rest
        .iter()
        .position(|byte| *byte == 0)
        .unwrap_or(rest.len());
    let (first, second) = (&rest[..middle], rest.get(middle + 1..).unwrap_or_default());
    let arguments = match which & 0x80 {
        0 => [rest, &[]],
        _ => [first, second],
    };
    let script = SCRIPTS[usize::from(which & 0x7f) % SCRIPTS.len()];
    if let Some(error) = run::script(script, &arguments) {
        let text = format!("{error:?}");
        assert!(!text.contains("IMPOSSIBLE"), "{text}");
    }
});
