using System.CommandLine;
using System.Globalization;
using Polymath.Models;
using Polymath.Tensors;
using Polymath.Text;

namespace Polymath.Cli.Commands;

/// <summary>Measures how well a model predicts a text.</summary>
internal sealed class PerplexityCommand : CliCommand
{
    private const int DefaultContext = 512;

    private readonly Argument<string> _model = Declare.Required("MODEL", $"{ModelArgument.Forms}.");
    private readonly Argument<string> _file = Declare.Required("FILE", "Text in UTF-8, gzipped or not; - for standard input.");
    private readonly Option<int> _context = Declare.Integer(
        ["--context", "-c"], "N", "Tokens in a chunk", 0, shown: $"{DefaultContext}, or less if the model was trained on less");
    private readonly CacheOptions _cache = new();
    private readonly Option<int> _chunks = Declare.Integer(["--chunks"], "N", "Score only the first N chunks; -1 for all", -1, least: -1);
    private readonly Option<int> _threads = Declare.Integer(["--threads", "-t"], "N", "Threads to compute with; 0 for one per processor", 0, most: 1024);

    public PerplexityCommand()
        : base("perplexity", "Measure how well a model predicts a text; lower is better.")
    {
        Add(_model);
        Add(_file);
        AddGroup("Options", _context, _chunks, _cache.Keys, _cache.Values, _threads);
        Notes =
        [
            "As llama.cpp does it: the text is cut into chunks of N tokens, each starts with the begin token where the model "
            + "has one, and the second half of each chunk is scored. The result on standard output has its standard error.",
        ];
        AddExample("polymath perplexity model.gguf valid.txt.gz --chunks 50", "An estimate from the first 50 chunks.");
    }

    public override int Execute(ParseResult parse, Terminal terminal)
    {
        string path = ModelArgument.Resolve(parse.GetValue(_model), terminal);
        using Model model = Sessions.Load(path, parse.GetValue(_threads), settings => SessionOptionsOf(parse, settings), terminal);
        SessionOptions options = SessionOptionsOf(parse, model.Settings);
        int context = options.ContextLength;
        if (context < 4)
            throw new UsageException($"a chunk needs at least 4 tokens, not {context}");
        string file = parse.GetValue(_file)!;
        string text = file == "-"
            ? TextInput.ReadAll(terminal.Input, "standard input", terminal.Cancellation)
            : TextInput.ReadFile(file, terminal.Cancellation);
        int[] ids = model.Tokenizer.Encode(text);
        int chunks = ids.Length / context;
        if (chunks == 0)
            throw new InvalidDataException($"{file}: {ids.Length} tokens are less than one chunk of {context}; see -c");
        if (parse.GetValue(_chunks) is >= 0 and var most)
            chunks = Math.Min(chunks, most);

        var perplexity = new Perplexity();
        using Session session = Sessions.Open(model, options);
        for (int i = 0; i < chunks; i++)
        {
            Score(session, ids.AsSpan(i * context, context), perplexity, terminal.Cancellation);
            ShowProgress(i + 1, chunks, perplexity, terminal);
        }

        terminal.Out.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"perplexity = {perplexity.Value:0.0000} ± {perplexity.Error:0.0000} ({perplexity.Count} tokens)"));
        return ExitCode.Success;
    }

    private SessionOptions SessionOptionsOf(ParseResult parse, ModelSettings settings) => _cache.Read(parse) with
    {
        ContextLength = parse.GetValue(_context) is > 0 and var asked ? asked : Math.Min(DefaultContext, settings.ContextLength),
    };

    /// <summary>Scores the second half of a chunk. Its first token is replaced by the begin token where texts start with one.</summary>
    private static void Score(Session session, Span<int> chunk, Perplexity perplexity, CancellationToken cancellation)
    {
        Tokenizer tokenizer = session.Model.Tokenizer;
        if (tokenizer.AddsBegin && tokenizer.BeginId is { } begin)
            chunk[0] = begin;
        session.Rewind(0);
        int first = chunk.Length / 2;   // its logits predict the first token that is scored
        session.Forward(chunk[..first], cancellation);
        int step = Math.Min(session.Model.BatchSize, Math.Max(1, (64 << 20) / sizeof(float) / session.Model.Settings.Vocabulary));
        for (int start = first; start < chunk.Length - 1; start += step)
        {
            int count = Math.Min(step, chunk.Length - 1 - start);
            Tensor logits = session.ForwardAll(chunk.Slice(start, count), cancellation);
            for (int row = 0; row < count; row++)
                perplexity.Add(logits.Row(row), chunk[start + row + 1]);
        }
    }

    private static void ShowProgress(int done, int all, Perplexity perplexity, Terminal terminal)
    {
        string line = string.Create(
            CultureInfo.InvariantCulture, $"chunk {done} of {all}: perplexity {perplexity.Value:0.0000} ± {perplexity.Error:0.0000}");
        if (!terminal.ErrorIsTerminal)
            terminal.Error.WriteLine(line);
        else
            terminal.Error.Write(done == all ? $"\r{line}\n" : $"\r{line}");
    }
}
