using System.CommandLine;
using System.Globalization;
using Polymath.Generation;
using Polymath.Hub;
using Polymath.Models;

namespace Polymath.Cli.Commands;

/// <summary>Writes text.</summary>
internal sealed class RunCommand : CliCommand
{
    private readonly Argument<string?> _first = Declare.Optional("MODEL", "The same as -m; may be left out.");
    private readonly Argument<string?> _second = Declare.Optional("PROMPT", "Text to go on from. Without it standard input is read.");
    private readonly Option<string?> _model = Declare.Text(
        ["--model", "-m"], "MODEL", $"{ModelArgument.Forms} (default: ${DefaultModel.Variable}, else the model in models/)");
    private readonly Option<string?> _prompt = Declare.Text(["--prompt", "-p"], "TEXT", "The same as PROMPT.");
    private readonly SamplingArguments _sampling = new();
    private readonly Option<string[]> _stop = new("--stop")
    {
        HelpName = "TEXT",
        Description = "End before this text; may be given several times.",
        DefaultValueFactory = _ => [],
    };

    private readonly Option<bool> _special = Declare.Switch("--special", "Read special tokens written in the prompt, such as <s>, as such.");
    private readonly CacheOptions _cache = new();
    private readonly Option<bool> _shift = Declare.Switch(
        "--context-shift", "When the context is full, drop the older half of the text and go on; without it the answer ends there.");
    private readonly Option<int> _keep = Declare.Integer(["--keep"], "N", "Tokens at the start that --context-shift never drops", 1);
    private readonly Option<int> _threads = Declare.Integer(["--threads", "-t"], "N", "Threads to compute with; 0 for one per processor", 0, most: 1024);

    private readonly Option<bool> _offline = Declare.Switch("--offline", "Do not offer to pull a model that is not here.");

    public RunCommand()
        : base("run", "Write text: go on from a prompt. Only the new text goes to standard output.")
    {
        Add(_first);
        Add(_second);
        AddGroup("Text", _model, _prompt, _sampling.Tokens, _stop, _special);
        AddGroup("Choice of tokens", _sampling.Choice);
        AddGroup("Context", _cache.Context, _shift, _keep, _cache.Keys, _cache.Values);
        AddGroup("Machine", _threads, _offline);
        Notes =
        [
            "Speed, seed and the reason for stopping are written to standard error at the end. Ctrl-C stops cleanly. "
            + "One line break at the end of a prompt from standard input is dropped.",
            "A single word USER/REPO or USER/REPO:QUANT is taken for a model's name; give such a prompt with -p. On a terminal run "
            + "offers to pull a model that is not here.",
        ];
        AddExample("polymath run \"Once upon a time\"", "Use the model that comes with this program.");
        AddExample("polymath run bartowski/SmolLM2-360M-Instruct-GGUF \"Once upon a time\"", "A model that was pulled, or is now.");
        AddExample("polymath run -m model.gguf -n 100 --temp 0 < prompt.txt", "Another model; always the likeliest token.");
    }

    public override int Execute(ParseResult parse, Terminal terminal)
    {
        GenerationOptions options = _sampling.Read(parse) with
        {
            ContextFull = parse.GetValue(_shift) ? ContextFull.Shift : ContextFull.Stop,
            KeepTokens = parse.GetValue(_keep),
            Stop = [.. parse.GetValue(_stop)!.Where(s => s.Length > 0)],
        };
        (string? named, string? text) = Words(parse);
        string path = ModelArgument.ResolveOrPull(named, parse.GetValue(_offline), terminal);
        string prompt = Prompt(text, terminal);
        using Model model = Sessions.Load(path, parse.GetValue(_threads), _ => _cache.Read(parse), terminal);
        int[] ids = model.Tokenizer.Encode(prompt, parseSpecial: parse.GetValue(_special));
        if (ids.Length == 0)
            throw new UsageException("the prompt is empty, and this model has no begin token to start from");
        using Session session = Sessions.Open(model, _cache.Read(parse));
        if (ids.Length > session.Capacity)
            throw new InvalidOperationException($"the prompt has {ids.Length} tokens, the context holds {session.Capacity}; see -c");

        GenerationResult result = Write(session, ids, options, terminal);
        terminal.Error.WriteLine(Summary(result));
        return result.Reason == StopReason.Cancelled ? ExitCode.Interrupted : ExitCode.Success;
    }

    /// <summary>Streams the answer. On a terminal its last line is ended, so that messages start on a line of their own.</summary>
    private static GenerationResult Write(Session session, int[] prompt, GenerationOptions options, Terminal terminal)
    {
        bool lineIsOpen = false;
        try
        {
            return Generator.Run(session, prompt, options, piece => lineIsOpen = Show(piece, terminal), terminal.Cancellation);
        }
        finally
        {
            if (terminal.OutputIsTerminal && lineIsOpen)
                terminal.Output.Write("\n"u8);
        }
    }

    /// <summary>One line about how it went.</summary>
    internal static string Summary(GenerationResult result)
    {
        string reason = result.Reason switch
        {
            StopReason.EndOfText => "end of text",
            StopReason.StopText => "stop text",
            StopReason.MaxTokens => "token limit",
            StopReason.ContextFull => "context full",
            StopReason.Complete => "complete",
            _ => "interrupted",
        };
        string dropped = result.DroppedTokens == 0
            ? "" : string.Create(CultureInfo.InvariantCulture, $"; the context was full: {result.DroppedTokens} tokens dropped");
        return string.Create(
            CultureInfo.InvariantCulture,
            $"prompt {result.PromptTokens} tokens, {Figures.Rate(result.PromptTokens, result.PromptTime)} tokens/s; "
            + $"answer {result.Ids.Count} tokens, {Figures.Rate(result.Ids.Count, result.DecodeTime)} tokens/s; "
            + $"seed {result.Seed}; stopped: {reason}{dropped}");
    }

    /// <summary>The model and the prompt, as far as they are given.</summary>
    private (string? Model, string? Prompt) Words(ParseResult parse)
    {
        string? model = parse.GetValue(_model), prompt = parse.GetValue(_prompt);
        string? first = parse.GetValue(_first), text = parse.GetValue(_second);
        bool isModel = ModelName.TryParse(first, out _) || (text is not null && Path.Exists(first));
        if (text is not null && (model is not null || !isModel))
            throw new UsageException($"unexpected argument {text} (a text of several words needs quotes); see polymath run --help");
        if (text is null && first is not null && (model is not null || !isModel))
            (first, text) = (null, first);
        if (text is not null && prompt is not null)
            throw new UsageException("the prompt is given twice, as PROMPT and with --prompt");
        return (first ?? model, text ?? prompt);
    }

    private static string Prompt(string? given, Terminal terminal)
    {
        if (given is not null)
            return given;
        if (terminal.InputIsTerminal)
            throw new UsageException("no prompt: give one in quotes, or on standard input; see polymath run --help");
        string piped = TextInput.ReadAll(terminal.Input, "standard input", terminal.Cancellation);
        return piped.EndsWith("\r\n", StringComparison.Ordinal) ? piped[..^2] : piped.EndsWith('\n') ? piped[..^1] : piped;
    }

    /// <summary>Writes a piece at once; true when it leaves a line without its end.</summary>
    private static bool Show(ReadOnlySpan<char> piece, Terminal terminal)
    {
        if (terminal.OutputIsTerminal)
            piece = Printable.Tame(piece);
        terminal.WriteNow(piece);
        return piece is [.., not '\n'];
    }
}
