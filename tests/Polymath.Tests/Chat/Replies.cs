using System.Text;
using Polymath.Chat;

namespace Polymath.Tests.Chat;

/// <summary>Runs replies through parsers and writes down what came out.</summary>
internal static class Replies
{
    public const string Weather = """{"type":"object","properties":{"city":{"type":"string"},"days":{"type":"integer"},"exact":{"type":"boolean"},"tags":{"type":"array"}},"required":["city"]}""";

    public static readonly ToolDefinition[] Tools =
    [
        new("get_weather", "The weather of a place", Weather),
        new("run", "Runs code", """{"type":"object","properties":{"code":{"type":"string"}}}"""),
        new("now", "The time", """{"type":"object","properties":{}}"""),
    ];

    public static Dialect Of(string name) => Dialect.All.Single(dialect => dialect.Name == name);

    /// <summary>All that is found in a reply, neighbouring pieces joined: one line each.</summary>
    public static string Read(Dialect dialect, IEnumerable<string> pieces, ReplyOptions? options = null) => Read(dialect, pieces, options, out _);

    public static string Read(string dialect, string reply, ReplyOptions? options = null) => Read(Of(dialect), [reply], options);

    public static string Read(Dialect dialect, IEnumerable<string> pieces, ReplyOptions? options, out long steps)
    {
        var lines = new StringBuilder();
        string last = "";
        ReplyParser parser = dialect.NewParser(options ?? new ReplyOptions { Tools = Tools }, found =>
        {
            string head = found.Part switch
            {
                ReplyPart.Content => "content ",
                ReplyPart.Reasoning => "reasoning ",
                ReplyPart.CallBegun => $"call {found.Call} {found.Id} {found.Name} ",
                ReplyPart.CallArguments => last.StartsWith("call", StringComparison.Ordinal) ? last : "arguments without a call",
                ReplyPart.CallDone => $"done {found.Call}",
                ReplyPart.Malformed => $"malformed {found.Call} ",
                _ => "end",
            };
            if (head != last || found.Part is ReplyPart.CallBegun or ReplyPart.CallDone)
                lines.Append(lines.Length == 0 ? "" : "\n").Append(head);
            lines.Append(found.Text.ToString().Replace("\n", "⏎", StringComparison.Ordinal));
            last = head;
        });
        foreach (string piece in pieces)
            parser.Push(piece);
        parser.End();
        steps = parser.Steps;
        return lines.ToString();
    }

    /// <summary>The message that a reply is.</summary>
    public static ChatMessage Message(Dialect dialect, string reply, ReplyOptions? options = null)
    {
        var builder = new ReplyBuilder();
        ReplyParser parser = dialect.NewParser(options ?? new ReplyOptions { Tools = Tools }, builder.Add);
        parser.Push(reply);
        parser.End();
        return builder.ToMessage();
    }

    public static IEnumerable<string> Cut(string reply, Random random, int most)
    {
        for (int at = 0; at < reply.Length;)
        {
            int length = Math.Min(random.Next(most) + 1, reply.Length - at);
            yield return reply.Substring(at, length);
            at += length;
        }
    }
}
