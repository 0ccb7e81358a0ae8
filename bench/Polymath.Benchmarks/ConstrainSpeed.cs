using System.Diagnostics;
using System.Globalization;
using System.Text;
using Polymath.Files;
using Polymath.Generation.Constraints;
using Polymath.Text;

namespace Polymath.Benchmarks;

/// <summary>
/// What a constraint adds to a token: `constrain VOCABULARY.gguf ...`. The vocabularies, all of byte-level BPE, are joined
/// until there are 128,256 tokens, as many as Llama 3 has; where they are fewer, random words fill the rest. Answers are
/// cut into the longest tokens.
/// </summary>
internal static class ConstrainSpeed
{
    private const int Vocabulary = 128_256;
    private const int Rounds = 50;

    private const string Schema =
        """
        {"type":"object","properties":{"name":{"type":"string","maxLength":80},"kind":{"enum":["person","place","thing","event"]},
        "age":{"type":"integer","minimum":0,"maximum":150},"email":{"type":"string","format":"email"},"tags":{"type":"array","items":{"type":"string"},"maxItems":8},
        "address":{"type":"object","properties":{"street":{"type":"string"},"city":{"type":"string"},"zip":{"type":"string","pattern":"^[0-9]{5}$"}},"required":["street","city"],"additionalProperties":false},
        "friends":{"type":"array","items":{"$ref":"#"}}},"required":["name","kind"],"additionalProperties":false}
        """;

    private const string Answer =
        """
        {"name": "Ada Lovelace, daughter of Lord Byron", "kind": "person", "age": 36, "email": "ada.lovelace@example.org", "tags": ["mathematics", "poetry", "analytical engine"], "address": {"street": "12 St. James's Square", "city": "London", "zip": "10115"}, "friends": [{"name": "Charles Babbage", "kind": "person", "age": 79, "tags": ["engines"]}, {"name": "Mary Somerville", "kind": "person", "friends": []}]}
        """;

    public static void Run(string[] args)
    {
        Tokenizer tokenizer = Join(args);
        long start = Stopwatch.GetTimestamp();
        _ = new Constraint(Grammar.Text("x"), tokenizer);
        Console.WriteLine($"{tokenizer.VocabularySize} tokens, tree made in {Stopwatch.GetElapsedTime(start).TotalMilliseconds:F0} ms, once for a vocabulary");
        Measure("JSON", () => Grammar.Json(), Answer, tokenizer);
        Measure("schema", () => Grammar.JsonSchema(Schema), Answer, tokenizer);
        string log = string.Concat(Enumerable.Repeat("2026-11-25T06:30:00Z 192.168.10.17 GET /index.html 200\n", 6));
        Measure("regex", () => Grammar.Regex(@"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ (\d{1,3}\.){3}\d{1,3} (GET|POST|PUT) [^ \n]{1,200} \d{3}\n)+"), log, tokenizer);
        string[] choices = [.. Enumerable.Range(0, 1000).Select(i => $"the answer numbered {i * 7919 % 1000:D3} of a thousand")];
        Measure("choice", () => Grammar.Choice(choices), choices[500], tokenizer);
        Measure("free", () => Grammar.Triggered([new("<tool_call>", Grammar.JsonSchema(Schema))]), $"Let me look that up.\n\n<tool_call>{Answer}", tokenizer);
    }

    private static void Measure(string name, Func<Grammar> make, string answer, Tokenizer tokenizer)
    {
        int[] ids = Longest(tokenizer, Encoding.UTF8.GetBytes(answer.Trim()));
        float[] logits = new float[tokenizer.VocabularySize];
        Walk(new Constraint(make(), tokenizer), ids, logits);   // compiled code
        double compile = double.MaxValue, cold = double.MaxValue, worst = double.MaxValue;
        Grammar grammar = make();
        for (int round = 0; round < 10; round++)
        {
            long begin = Stopwatch.GetTimestamp();
            grammar = make();
            var first = new Constraint(grammar, tokenizer);
            compile = Math.Min(compile, Stopwatch.GetElapsedTime(begin).TotalMicroseconds);
            (double all, double most) = Walk(first, ids, logits);
            cold = Math.Min(cold, all);
            worst = Math.Min(worst, most);
        }

        double warm = double.MaxValue, choose = double.MaxValue;
        var constraint = new Constraint(grammar, tokenizer);
        for (int round = 0; round < Rounds; round++)
        {
            constraint.Reset();
            warm = Math.Min(warm, Walk(constraint, ids, logits).All);
            constraint.Reset();
            choose = Math.Min(choose, Walk(constraint, ids, []).All);
        }

        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{name,-8} {ids.Length,4} tokens  compiled in {compile / 1000,7:F2} ms  first time {cold / ids.Length,7:F1} µs/token (most {worst,7:F0})  then {warm / ids.Length,6:F1}, without writing logits {choose / ids.Length,6:F2}"));
    }

    private static (double All, double Most) Walk(Constraint constraint, int[] ids, float[] logits)
    {
        double most = 0, all = 0;
        foreach (int id in ids)
        {
            long start = Stopwatch.GetTimestamp();
            if (logits.Length > 0)
                constraint.Apply(logits);
            else
                _ = constraint.Allowed();
            constraint.Accept(id);
            double time = Stopwatch.GetElapsedTime(start).TotalMicroseconds;
            most = Math.Max(most, time);
            all += time;
        }

        return (all, most);
    }

    private static int[] Longest(Tokenizer tokenizer, byte[] text)
    {
        var byBytes = new Dictionary<string, int>(StringComparer.Ordinal);
        for (int id = 0; id < tokenizer.VocabularySize; id++)
            byBytes.TryAdd(Encoding.Latin1.GetString(tokenizer.TokenBytes(id)), id);
        var ids = new List<int>();
        for (int at = 0; at < text.Length;)
        {
            int length = Math.Min(text.Length - at, 32);
            while (!byBytes.ContainsKey(Encoding.Latin1.GetString(text, at, length)))
                length--;
            ids.Add(byBytes[Encoding.Latin1.GetString(text, at, length)]);
            at += length;
        }

        return [.. ids];
    }

    private static Tokenizer Join(string[] paths)
    {
        var texts = new List<string> { "<|endoftext|>" };
        var known = new HashSet<string>(texts, StringComparer.Ordinal);
        foreach (string path in paths)
        {
            using GgufFile file = GgufFile.Open(path);
            foreach (string text in file.Metadata.GetArray<string>("tokenizer.ggml.tokens")!)
            {
                if (texts.Count < Vocabulary && known.Add(text))
                    texts.Add(text);
            }
        }

        for (int value = 0; value < 256 && paths.Length == 0; value++)
            Add(((char)(value is (>= '!' and <= '~') or (>= 0xA1 and <= 0xAC) or (>= 0xAE and <= 0xFF) ? value : 256 + Hidden(value))).ToString());
        var random = new Random(1);
        while (texts.Count < Vocabulary)
            Add(string.Concat(random.Next(2) == 0 ? "Ġ" : "", string.Create(random.Next(2, 9), random, (span, source) =>
            {
                for (int i = 0; i < span.Length; i++)
                    span[i] = (char)('a' + source.Next(26));
            })));

        var metadata = new Metadata();
        metadata.Set("tokenizer.ggml.model", "gpt2");
        metadata.Set("tokenizer.ggml.pre", "gpt-2");
        metadata.Set("tokenizer.ggml.tokens", texts.ToArray());
        metadata.Set("tokenizer.ggml.token_type", Enumerable.Range(0, texts.Count).Select(id => id == 0 ? 3 : 1).ToArray());
        metadata.Set("tokenizer.ggml.merges", Array.Empty<string>());
        metadata.Set("tokenizer.ggml.eos_token_id", 0u);
        return Tokenizer.FromMetadata(metadata, "joined");

        void Add(string text)
        {
            if (known.Add(text))
                texts.Add(text);
        }

        static int Hidden(int value) => value < '!' ? value : value <= 0xA0 ? value - '~' - 1 + 33 : 67;
    }
}
