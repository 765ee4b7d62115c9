"""The commands for people, one module each: HELP, add_arguments(parser), run(args, settings) -> exit code."""
