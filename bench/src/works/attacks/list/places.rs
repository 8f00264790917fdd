//! A million places on the earth, and HyperLogLogs by the ten thousand.

use super::{Attack, Ground};

pub(super) const GROUND: Ground = Ground {
    name: "places",
    flags: &[],
    data: &[
        "GEOADD g {100000 x 0.~ 0.# a#}",
        "GEOADD g {100000 x 1.# 1.~ b#}",
        "GEOADD g {800000 x 2.~ 2.# c#}",
        "PFADD h {1000000 x h#}",
        "10000 * PFADD p# a# b#",
        "1000 * PFADD d# {1000 x v#}",
    ],
    attacks: &[
        Attack::of(
            "GEOSEARCH of 1,000,000 places",
            &["GEOSEARCH g FROMLONLAT 1 1 BYRADIUS 22000 km WITHCOORD WITHDIST WITHHASH"],
        ),
        Attack::of(
            "GEOSEARCH of 1,000,000 places in order",
            &["GEOSEARCH g FROMLONLAT 1 1 BYRADIUS 22000 km ASC"],
        ),
        Attack::of(
            "GEOSEARCH BYBOX of 1,000,000 places, the nearest 10",
            &["GEOSEARCH g FROMLONLAT 1 1 BYBOX 20000 20000 km COUNT 10 ASC"],
        ),
        Attack::of(
            "GEOSEARCH ANY of 1,000,000 places",
            &["GEOSEARCH g FROMLONLAT 1 1 BYRADIUS 22000 km COUNT {1000000} ANY"],
        ),
        Attack::of(
            "GEOSEARCH of none beside 1,000,000 places",
            &["GEOSEARCH g FROMLONLAT 2.6 2.1 BYBOX 1 400 km"],
        ),
        Attack::of(
            "GEORADIUS of 1,000,000 places",
            &["GEORADIUS g 1 1 22000 km WITHDIST"],
        ),
        Attack::of(
            "GEOSEARCHSTORE of 1,000,000 places",
            &["GEOSEARCHSTORE e g FROMLONLAT 1 1 BYRADIUS 22000 km"],
        ),
        Attack::of(
            "GEOSEARCHSTORE STOREDIST of 1,000,000 places",
            &["GEOSEARCHSTORE e g FROMLONLAT 1 1 BYRADIUS 22000 km STOREDIST"],
        ),
        Attack::of("GEOPOS of 800,000 places", &["GEOPOS g {800000 x c~}"]),
        Attack::of("GEOHASH of 800,000 places", &["GEOHASH g {800000 x c~}"]),
        Attack::of(
            "GEOADD of 300,000 new places",
            &["GEOADD n {300000 x 2.~ 2.# c#}"],
        ),
        Attack::of("PFADD of 1,000,000 elements", &["PFADD h {1000000 x i~}"]),
        Attack::of("PFCOUNT of 10,000 sparse keys", &["PFCOUNT {10000 x p~}"]),
        Attack::of("PFCOUNT of 1,000 denser keys", &["PFCOUNT {1000 x d~}"]),
        Attack::of(
            "PFCOUNT of one dense key, 100,000 times",
            &["PFCOUNT {100000 x h}"],
        ),
        Attack::of(
            "PFCOUNT of a key that changes, 10,000 times",
            &[
                "MULTI",
                "10000 * PFADD h x#",
                "10000 * PFCOUNT h d1",
                "EXEC",
            ],
        ),
        Attack::of("PFMERGE of 10,000 sparse keys", &["PFMERGE m {10000 x p~}"]),
        Attack::of("PFMERGE of 1,000 denser keys", &["PFMERGE m {1000 x d~}"]),
        Attack::of(
            "PFMERGE of one dense key, 100,000 times",
            &["PFMERGE m {100000 x h}"],
        ),
    ],
};
