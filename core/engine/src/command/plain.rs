//! Commands whose arguments are values in a fixed order, without options: the types of the
//! arguments say how they are read.

use resp::Argv;

use super::{Command, Ctx, Flow};
use crate::args::Args;
use crate::error::CmdError;
use crate::table::Spec;

/// What can be read from a request without knowing which command it is for.
pub trait FromArgs<'a>: Sized {
    /// Takes the next arguments.
    ///
    /// # Errors
    /// The exact error that a client sees.
    fn from_args(args: &mut Args<'a>) -> Result<Self, CmdError>;
}

/// A command that reads its arguments as their types say.
pub trait PlainCommand {
    /// The row of data.
    const SPEC: Spec;
    /// The arguments: a value, or several in their order.
    type Args<'a>: FromArgs<'a>;
    /// Decides, applies effects through `ctx.store`, and writes the reply.
    ///
    /// # Errors
    /// The exact error that a client sees; the reply written so far is rolled back.
    fn execute(args: Self::Args<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError>;
}

impl<P: PlainCommand> Command for P {
    const SPEC: Spec = P::SPEC;
    type Parsed<'a> = P::Args<'a>;

    #[inline]
    fn parse<'a>(args: &mut Args<'a>) -> Result<P::Args<'a>, CmdError> {
        P::Args::from_args(args)
    }

    #[inline]
    fn execute(args: P::Args<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        P::execute(args, ctx)
    }
}

impl FromArgs<'_> for () {
    #[inline]
    fn from_args(_: &mut Args<'_>) -> Result<(), CmdError> {
        Ok(())
    }
}

/// One argument, whatever it is.
impl<'a> FromArgs<'a> for &'a [u8] {
    #[inline]
    fn from_args(args: &mut Args<'a>) -> Result<&'a [u8], CmdError> {
        args.required()
    }
}

impl FromArgs<'_> for i64 {
    #[inline]
    fn from_args(args: &mut Args<'_>) -> Result<i64, CmdError> {
        args.integer()
    }
}

/// All that is left.
impl<'a> FromArgs<'a> for Argv<'a> {
    #[inline]
    fn from_args(args: &mut Args<'a>) -> Result<Argv<'a>, CmdError> {
        Ok(args.rest())
    }
}

impl<'a, A: FromArgs<'a>, B: FromArgs<'a>> FromArgs<'a> for (A, B) {
    #[inline]
    fn from_args(args: &mut Args<'a>) -> Result<(A, B), CmdError> {
        Ok((A::from_args(args)?, B::from_args(args)?))
    }
}

impl<'a, A: FromArgs<'a>, B: FromArgs<'a>, C: FromArgs<'a>> FromArgs<'a> for (A, B, C) {
    #[inline]
    fn from_args(args: &mut Args<'a>) -> Result<(A, B, C), CmdError> {
        Ok((
            A::from_args(args)?,
            B::from_args(args)?,
            C::from_args(args)?,
        ))
    }
}

#[cfg(test)]
mod tests {
    use resp::ArgvBuf;

    use super::*;

    fn read<T>(request: &str, then: impl Fn(&mut Args<'_>) -> T) -> T {
        let request: ArgvBuf = request.split(' ').collect();
        then(&mut Args::new(request.as_argv(), 1))
    }

    #[test]
    fn arguments_are_read_in_the_order_of_their_types() {
        let key_and_two = |args: &mut Args<'_>| {
            let (key, a, b) = <(&[u8], i64, &[u8])>::from_args(args)?;
            Ok((key.to_vec(), a, b.to_vec()))
        };
        let found = read("GETRANGE k -3 x", key_and_two);
        assert_eq!(found, Ok((b"k".to_vec(), -3, b"x".to_vec())));
        // The first that is wrong is the error.
        let found = read("GETRANGE k three", key_and_two);
        assert_eq!(found, Err(CmdError::NotAnInteger));
        assert_eq!(read("GETRANGE k 3", key_and_two), Err(CmdError::Syntax));
    }

    #[test]
    fn what_is_left_may_be_nothing_and_what_is_not_read_stays() {
        let rest = |args: &mut Args<'_>| Argv::from_args(args).map(|rest| rest.len());
        assert_eq!(read("DEL", rest), Ok(0));
        assert_eq!(read("DEL a b", rest), Ok(2));
        let left = |args: &mut Args<'_>| <()>::from_args(args).map(|()| args.left());
        assert_eq!(read("DBSIZE a", left), Ok(1));
    }
}
