//! Takes out what can never run and no compiler can see.
//!
//! Each view whose type Leptos forgets keeps a table of all that could be done with it, and hydrating piece by piece,
//! for pages whose code arrives in parts, is one entry. This page arrives whole, so nothing ever calls that entry; but a
//! table refers to it, so it stays: measured, a sixteenth of the module. Here such a body becomes a trap.
//!
//! What it does not do: guess. It knows the functions by name, and refuses where the one function that calls them
//! (`leptos::mount::hydrate_lazy`, or what it is made of) is in the module.

use anyhow::{Result, ensure};
use walrus::{FunctionBuilder, FunctionId, FunctionKind, Module};

/// The entry of the table, and what it awaits: `tachys` 0.2, `view/any_view.rs`.
const UNREACHED: &str = "::into_any::hydrate_async";

/// What starts hydrating piece by piece: `leptos` 0.8, `mount.rs`.
const STARTS_IT: [&str; 3] = ["hydrate_lazy", "hydrate_from_async", "hydrate_body_async"];

/// Makes traps of the functions that nothing calls, and returns how many there were.
pub(crate) fn trap(module: &mut Module) -> Result<usize> {
    let named = |wanted: &dyn Fn(&str) -> bool| -> Vec<FunctionId> {
        module
            .funcs
            .iter_local()
            .filter(|(id, _)| module.funcs.get(*id).name.as_deref().is_some_and(wanted))
            .map(|(id, _)| id)
            .collect()
    };
    let starts = named(&|name| STARTS_IT.iter().any(|start| name.contains(start)));
    ensure!(
        starts.is_empty(),
        "the page hydrates piece by piece now: `unreached.rs` takes out what that needs"
    );
    let unreached = named(&|name| name.contains(UNREACHED));
    for id in &unreached {
        let (params, results) = module.types.params_results(module.funcs.get(*id).ty());
        let (params, results) = (params.to_vec(), results.to_vec());
        let mut body = FunctionBuilder::new(&mut module.types, &params, &results);
        body.func_body().unreachable();
        let arguments = params.iter().map(|ty| module.locals.add(*ty)).collect();
        module.funcs.get_mut(*id).kind = FunctionKind::Local(body.local_func(arguments));
    }
    walrus::passes::gc::run(module);
    Ok(unreached.len())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use walrus::ir::Instr;

    use super::*;

    /// A module with functions of these names, each of which can be called from outside.
    fn module(names: &[&str]) -> Module {
        let mut module = Module::default();
        for name in names {
            let mut body = FunctionBuilder::new(&mut module.types, &[], &[]);
            body.name((*name).to_owned())
                .func_body()
                .i32_const(7)
                .drop();
            let id = body.finish(Vec::new(), &mut module.funcs);
            module.exports.add(name, id);
        }
        module
    }

    fn is_a_trap(module: &Module, name: &str) -> bool {
        let id = module.funcs.by_name(name).unwrap();
        let FunctionKind::Local(function) = &module.funcs.get(id).kind else {
            return false;
        };
        let body = &function.block(function.entry_block()).instrs;
        matches!(body.as_slice(), [(Instr::Unreachable(_), _)])
    }

    #[test]
    fn only_what_nothing_calls_becomes_a_trap() {
        const WAITS: &str = "<T as IntoAny>::into_any::hydrate_async::{{closure}}::h1";
        const LIVES: &str = "<T as IntoAny>::into_any::hydrate_from_server::h2";
        let mut module = module(&[WAITS, LIVES]);
        assert_eq!(trap(&mut module).unwrap(), 1);
        assert!(is_a_trap(&module, WAITS));
        assert!(!is_a_trap(&module, LIVES));
    }

    #[test]
    fn a_page_that_comes_in_pieces_is_refused() {
        let name = "leptos::mount::hydrate_from_async::{{closure}}::h3";
        assert!(trap(&mut module(&[name])).is_err());
    }
}
