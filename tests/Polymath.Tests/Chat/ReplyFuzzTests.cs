using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Polymath.Chat;
using Xunit;

namespace Polymath.Tests.Chat;

/// <summary>Replies of any kind: no exception, nothing lost, the same for every split, linear work.</summary>
public sealed partial class ReplyFuzzTests
{
    private const int Rounds = 10_000;

    /// <summary>Letters that stand in no tag, so that each of them must come out, in order.</summary>
    private const string Payload = "абвгдежзиклмнопрстуфхцчшщыэюя日本😀";

    private static readonly string[] Fragments =
    [
        "{", "}", "[", "]", "\"", "\\", ",", ":", "\n", " ", "<", ">", "</", "true", "null", "-1.5e3", "\\u00e9", "\\ud83d\\ude00", "\\ud83d", "\u0001",
        "{\"name\": \"run\", \"arguments\": {\"code\": \"", "\"name\"", "\"arguments\"", "run", "now", "get_weather", "code", "days", "\ud83d", "\ude00",
    ];

    private static string[] Written { get; } = [.. GoldenReplies.All.Select(row => row.Data.Item2)];

    [Fact]
    public void Ten_thousand_mutated_replies_lose_nothing_and_mean_the_same_in_any_split()
    {
        int malformed = 0, done = 0, ids = 0;
        for (int seed = 0; seed < Rounds; seed++)
        {
            var random = new Random(seed);
            Dialect dialect = Dialect.All[random.Next(Dialect.All.Count)];
            var options = new ReplyOptions { Tools = random.Next(4) == 0 ? null : Replies.Tools, StartsInReasoning = random.Next(4) == 0 };
            string reply = Mutated(random, dialect);
            string whole = Replies.Read(dialect, [reply], options);
            Assert.Equal(whole, Replies.Read(dialect, Replies.Cut(reply, random, 1 + seed % 9), options));
            Assert.EndsWith("end", whole, StringComparison.Ordinal);
            string expected = Letters(reply), actual = Letters(whole);
            if (Id().Matches(reply).Any(id => Letters(id.Value).Length > 0))
                ids++;   // an id behind the arguments comes too late for the call and is passed over
            else if (expected != actual)
                Assert.Fail($"seed {seed}, {dialect}: {reply}\ngave\n{whole}");
            malformed += whole.Contains("malformed", StringComparison.Ordinal) ? 1 : 0;
            done += whole.Contains("done", StringComparison.Ordinal) ? 1 : 0;
        }

        Assert.True(ids < Rounds / 50, $"{ids} rounds had letters in ids");
        Assert.True(malformed > Rounds / 20 && done > Rounds / 20, $"{malformed} malformed, {done} done: the mutations do not reach both");
    }

    [Fact]
    public void What_is_called_done_is_a_JSON_object_that_can_be_read()
    {
        for (int seed = 0; seed < Rounds; seed++)
        {
            var random = new Random(seed);
            Dialect dialect = Dialect.All[random.Next(Dialect.All.Count)];
            foreach (ToolCall call in Replies.Message(dialect, Mutated(random, dialect), new ReplyOptions()).ToolCalls)
                Visit(JsonElement.Parse(call.Arguments));
        }

        static void Visit(JsonElement element)
        {
            if (element.ValueKind == JsonValueKind.String)
                Assert.NotNull(element.GetString());
            else if (element.ValueKind == JsonValueKind.Array)
                Assert.All(element.EnumerateArray(), Visit);
            else if (element.ValueKind == JsonValueKind.Object)
                Assert.All(element.EnumerateObject(), member => Visit(member.Value));
        }
    }

    /// <summary>Floods of what is held back: whole, and one character at a time.</summary>
    [Fact]
    public void Work_grows_with_the_length_of_the_reply()
    {
        string[] floods =
        [
            "a", " ", "\n", "<", "<tool_call>", "<think>", "{", "[", "\"", "<tool_call>{", "{\"name\": \"run\", \"arguments\": {\"code\": \"a",
            "<tool_call>{\"arguments\": {\"code\": \"", "[TOOL_CALLS]", "[TOOL_CALLS]now[ARGS]{}", "<｜tool▁calls▁begin｜>", "<|channel|>", "<|message|>",
            "<|start|>assistant", "<|tool_call>call:now{", "<|\"|>", "</parameter>", "<tool_call><function=run><parameter=code>", "Action:\n```json\n[{", "```json\n{",
            "{\"name\": \"now\", \"arguments\": {}};",
        ];
        foreach (Dialect dialect in Dialect.All)
        {
            foreach (string flood in floods)
            {
                double small = Steps(dialect, flood, 500), large = Steps(dialect, flood, 4000);
                Assert.True(large < 9.5 * small + 1000, $"{dialect}, {flood}: {small} and {large} steps for 500 and 4000 copies");
                Assert.True(large < 60.0 * 4000 * flood.Length, $"{dialect}, {flood}: {large} steps");
            }
        }

        static double Steps(Dialect dialect, string flood, int copies)
        {
            string reply = new StringBuilder().Insert(0, flood, copies).ToString();
            Replies.Read(dialect, reply.Select(c => c.ToString()), null, out long single);
            return single;
        }
    }

    [Fact]
    public void Nesting_has_a_limit_and_the_limit_is_no_crash()
    {
        string Call(string open, string close, int depth) =>
            $"<tool_call>{{\"name\": \"run\", \"arguments\": {{\"code\": {new StringBuilder().Insert(0, open, depth)}1{new StringBuilder().Insert(0, close, depth)}}}}}</tool_call>";
        Assert.EndsWith("done 0\nend", Replies.Read("Hermes", Call("[", "]", 61)), StringComparison.Ordinal);
        Assert.Contains("malformed 0", Replies.Read("Hermes", Call("[", "]", 62)), StringComparison.Ordinal);
        Assert.Contains("malformed 0", Replies.Read("Hermes", Call("{\"a\":", "}", 100_000)), StringComparison.Ordinal);
        Assert.Contains("malformed 0", Replies.Read("Gemma 4", $"<|tool_call>call:run{{code:{new string('[', 100_000)}"), StringComparison.Ordinal);
    }

    [Fact]
    public void A_stream_of_text_makes_no_garbage()
    {
        int length = 0;
        ReplyParser parser = Dialect.Generic.NewParser(new ReplyOptions { Tools = Replies.Tools }, found => length += found.Text.Length);
        string[] pieces = [" word", " <", "\n", "tool"];
        Assert.Equal(0, Allocations.Of(() =>
        {
            foreach (string piece in pieces)
                parser.Push(piece);
        }));
        Assert.True(length > 0);
    }

    private static string Mutated(Random random, Dialect dialect)
    {
        string[] own = [.. GoldenReplies.All.Where(row => row.Data.Item1 == dialect.Name).Select(row => row.Data.Item2)];
        var text = new StringBuilder(random.Next(8) == 0 ? Written[random.Next(Written.Length)] : own[random.Next(own.Length)]);
        if (random.Next(3) == 0)
            text.Append(own[random.Next(own.Length)]);
        CallForm form = dialect.Forms[random.Next(dialect.Forms.Count)];
        string[] tags = [form.BlockBegin, form.CallBegin, form.NameEnd, form.CallEnd, form.Separator, form.BlockEnd, dialect.Reasoning.Begin, dialect.Reasoning.End];
        for (int change = random.Next(6); change > 0; change--)
        {
            int at = random.Next(text.Length + 1);
            switch (random.Next(4))
            {
                case 0:
                    text.Remove(at, Math.Min(random.Next(12), text.Length - at));
                    break;
                case 1:
                    text.Insert(at, Fragments[random.Next(Fragments.Length)]);
                    break;
                case 2:
                    text.Insert(at, tags[random.Next(tags.Length)]);
                    break;
                default:
                    int letter = random.Next(Payload.Length - 1);
                    text.Insert(at, char.IsSurrogate(Payload[letter]) ? "😀" : Payload[letter].ToString());
                    break;
            }
        }

        return text.ToString();
    }

    [GeneratedRegex(""""(id|tool_call_id|call_id|type)"\s*:\s*"[^"]*"""")]
    private static partial Regex Id();

    /// <summary>The letters of the payload in a text, in order.</summary>
    private static string Letters(string text) => new([.. text.Where(c => Payload.Contains(c, StringComparison.Ordinal) && !char.IsSurrogate(c))]);
}
