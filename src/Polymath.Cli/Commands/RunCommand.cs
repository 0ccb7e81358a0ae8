using System.Buffers;
using System.CommandLine;
using System.Globalization;
using System.Text;
using Polymath.Generation;
using Polymath.Models;

namespace Polymath.Cli.Commands;

/// <summary>Writes text.</summary>
internal sealed class RunCommand : CliCommand
{
    private readonly Argument<string?> _text = Declare.Optional("PROMPT", "Text to go on from. Without it standard input is read.");
    private readonly Option<string?> _model = Declare.Text(
        ["--model", "-m"], "PATH", $"GGUF file or Hugging Face folder (default: ${DefaultModel.Variable}, else the model in models/)");
    private readonly Option<string?> _prompt = Declare.Text(["--prompt", "-p"], "TEXT", "The same as PROMPT.");
    private readonly Option<int> _tokens = Declare.Integer(
        ["--tokens", "-n"], "N", "Most tokens to write; -1 until the model ends or the context is full", -1, least: -1);
    private readonly Option<string[]> _stop = new("--stop")
    {
        HelpName = "TEXT",
        Description = "End before this text; may be given several times.",
        DefaultValueFactory = _ => [],
    };

    private readonly Option<bool> _special = Declare.Switch("--special", "Read special tokens written in the prompt, such as <s>, as such.");
    private readonly Option<float> _temperature = Declare.Number(
        ["--temp"], "T", "Temperature; 0 always takes the most likely token", 0.8f);
    private readonly Option<int> _topK = Declare.Integer(["--top-k"], "N", "Choose among the N most likely tokens; 0 for all", 40);
    private readonly Option<float> _topP = Declare.Number(
        ["--top-p"], "P", "Choose among the fewest tokens whose probabilities reach P; 1 for all", 0.95f, most: 1);
    private readonly Option<float> _minP = Declare.Number(
        ["--min-p"], "P", "Leave out tokens less likely than P times the most likely one; 0 for none", 0.05f, most: 1);
    private readonly Option<float> _penalty = Declare.Number(
        ["--repeat-penalty"], "X", "Make recent tokens less likely; 1 for not", 1f, least: 0.01f, most: 100, shown: "1");
    private readonly Option<int> _window = Declare.Integer(["--repeat-last-n"], "N", "Tokens that the penalty looks back", 64);
    private readonly Option<ulong?> _seed = Declare.Seed("The same seed gives the same text (default: a new one each time)");
    private readonly Option<int> _context = Declare.Integer(
        ["--context", "-c"], "N", "Tokens of prompt and answer together; 0 for what the model was trained on", 0);
    private readonly Option<int> _threads = Declare.Integer(["--threads", "-t"], "N", "Threads to compute with; 0 for one per processor", 0, most: 1024);

    public RunCommand()
        : base("run", "Write text: go on from a prompt. Only the new text goes to standard output.")
    {
        Add(_text);
        AddGroup("Text", _model, _prompt, _tokens, _stop, _special);
        AddGroup("Choice of tokens", _temperature, _topK, _topP, _minP, _penalty, _window, _seed);
        AddGroup("Machine", _context, _threads);
        Notes =
        [
            "Speed, seed and the reason for stopping are written to standard error at the end. Ctrl-C stops cleanly. "
            + "One line break at the end of a prompt from standard input is dropped.",
        ];
        AddExample("polymath run \"Once upon a time\"", "Use the model that comes with this program.");
        AddExample("polymath run -m model.gguf -n 100 --temp 0 < prompt.txt", "Another model; always the likeliest token.");
    }

    public override int Execute(ParseResult parse, Terminal terminal)
    {
        var options = new GenerationOptions
        {
            MaxTokens = parse.GetValue(_tokens),
            Stop = [.. parse.GetValue(_stop)!.Where(s => s.Length > 0)],
            Sampling = new SamplingOptions
            {
                Temperature = parse.GetValue(_temperature),
                TopK = parse.GetValue(_topK),
                TopP = parse.GetValue(_topP),
                MinP = parse.GetValue(_minP),
                RepeatPenalty = parse.GetValue(_penalty),
                RepeatWindow = parse.GetValue(_window),
                Seed = parse.GetValue(_seed),
            },
        };
        string prompt = Prompt(parse, terminal);
        using Model model = Sessions.Load(DefaultModel.Or(parse.GetValue(_model)), parse.GetValue(_threads));
        int[] ids = model.Tokenizer.Encode(prompt, parseSpecial: parse.GetValue(_special));
        if (ids.Length == 0)
            throw new UsageException("the prompt is empty, and this model has no begin token to start from");
        using Session session = Sessions.Open(model, parse.GetValue(_context));
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
            _ => "interrupted",
        };
        return string.Create(
            CultureInfo.InvariantCulture,
            $"prompt {result.PromptTokens} tokens, {Figures.Rate(result.PromptTokens, result.PromptTime)} tokens/s; "
            + $"answer {result.Ids.Count} tokens, {Figures.Rate(result.Ids.Count, result.DecodeTime)} tokens/s; "
            + $"seed {result.Seed}; stopped: {reason}");
    }

    private string Prompt(ParseResult parse, Terminal terminal)
    {
        string? text = parse.GetValue(_text), option = parse.GetValue(_prompt);
        if (text is not null && option is not null)
            throw new UsageException("the prompt is given twice, as PROMPT and with --prompt");
        if ((text ?? option) is { } given)
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
        byte[] bytes = ArrayPool<byte>.Shared.Rent(Encoding.UTF8.GetMaxByteCount(piece.Length));
        terminal.Output.Write(bytes, 0, Encoding.UTF8.GetBytes(piece, bytes));
        terminal.Output.Flush();
        ArrayPool<byte>.Shared.Return(bytes);
        return piece is [.., not '\n'];
    }
}
