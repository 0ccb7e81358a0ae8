using System.CommandLine;
using System.Globalization;
using Polymath.Files;
using Polymath.Models;
using Polymath.Text;

namespace Polymath.Cli.Commands;

/// <summary>Prints a model's raw answers, for comparing engines.</summary>
internal sealed class LogitsCommand : CliCommand
{
    private const int Shown = 10;

    private readonly Argument<string> _model = Declare.Required("MODEL", $"{ModelArgument.Forms}.");
    private readonly Argument<string?> _text = Declare.Optional("TEXT", "Prompt as text.");
    private readonly Option<string?> _ids = Declare.Text(["--ids"], "LIST", "Prompt as token ids with commas between, instead of TEXT.");
    private readonly Option<int> _tokens = Declare.Integer(["--tokens", "-n"], "N", "Tokens to choose, always the most likely one", 16);
    private readonly CacheOptions _cache = new();
    private readonly Option<bool> _json = Declare.Switch("--json", "One JSON object: prompt_ids, ids, first_logits (the whole vocabulary).");
    private readonly Option<int> _threads = Declare.Integer(["--threads", "-t"], "N", "Threads to compute with; 0 for one per processor", 0, most: 1024);

    public LogitsCommand()
        : base("logits", "Print the logits after a prompt and the greedy tokens that follow, for comparing engines.")
    {
        Add(_model);
        Add(_text);
        AddGroup("Options", _ids, _tokens, _cache.Context, _cache.Keys, _cache.Values, _json, _threads);
        Notes = ["The greedy tokens go on past an end token, so that there are always N of them if the context holds them."];
        AddExample("polymath logits model.gguf --ids 316,116,257 -n 16 --json", "Everything, for a program.");
        AddExample("polymath logits model.gguf \"Once upon\"", "The ten likeliest next tokens.");
    }

    public override int Execute(ParseResult parse, Terminal terminal)
    {
        string? text = parse.GetValue(_text), list = parse.GetValue(_ids);
        if (text is null == list is null)
            throw new UsageException("one prompt is needed: either TEXT or --ids; see polymath logits --help");
        string path = ModelArgument.Resolve(parse.GetValue(_model), terminal);
        using Model model = Sessions.Load(path, parse.GetValue(_threads), _ => _cache.Read(parse), terminal);
        int[] prompt = list is not null ? IdList.Parse(list, model.Settings.Vocabulary) : model.Tokenizer.Encode(text);
        if (prompt.Length == 0)
            throw new UsageException("the prompt has no tokens");
        using Session session = Sessions.Open(model, _cache.Read(parse));
        float[] first = session.Forward(prompt, terminal.Cancellation).ToArray();
        int[] ids = Greedy(session, first, parse.GetValue(_tokens), terminal.Cancellation);
        if (parse.GetValue(_json))
        {
            Json.WriteObject(terminal, indented: false, writer =>
            {
                writer.WriteNumbers("prompt_ids", prompt);
                writer.WriteNumbers("ids", ids);
                writer.WriteNumbers("first_logits", first);
            });
        }
        else
        {
            WriteTable(model, prompt, ids, first, terminal);
        }

        return ExitCode.Success;
    }

    private static int[] Greedy(Session session, ReadOnlySpan<float> logits, int count, CancellationToken cancellation)
    {
        var ids = new List<int>();
        while (ids.Count < count)
        {
            ids.Add(ArgMax(logits));
            if (session.Position == session.Capacity)
                break;
            if (ids.Count < count)
                logits = session.Forward([ids[^1]], cancellation);
        }

        return [.. ids];
    }

    /// <summary>The first of the largest values.</summary>
    private static int ArgMax(ReadOnlySpan<float> values)
    {
        int best = 0;
        for (int i = 1; i < values.Length; i++)
        {
            if (values[i] > values[best])
                best = i;
        }

        return best;
    }

    private static void WriteTable(Model model, int[] prompt, int[] ids, float[] first, Terminal terminal)
    {
        TextWriter output = terminal.Out;
        Tokenizer? tokenizer = TokenizerOf(model);
        output.WriteLine($"prompt  {string.Join(' ', prompt)}");
        output.WriteLine($"greedy  {string.Join(' ', ids)}");
        output.WriteLine();
        output.WriteLine("    id      logit  probability  token");
        int[] order = [.. Enumerable.Range(0, first.Length).OrderByDescending(i => first[i]).Take(Shown)];
        foreach (int id in order)
        {
            double probability = Math.Exp(-Perplexity.NegativeLogLikelihood(first, id));
            string token = id < tokenizer?.VocabularySize ? TokenizeCommand.Describe(tokenizer, id) : "";
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{id,6}  {first[id],9:0.0000}  {probability,11:0.000000}  {token}"));
        }
    }

    /// <summary>The vocabulary, or null where there is none that this engine can read: ids still compare.</summary>
    private static Tokenizer? TokenizerOf(Model model)
    {
        try
        {
            return model.Tokenizer;
        }
        catch (ModelFormatException)
        {
            return null;
        }
    }
}
