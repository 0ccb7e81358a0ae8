using Polymath.Chat;
using Polymath.Generation;
using Polymath.Text;

namespace Polymath.Server.Wire;

/// <summary>What the engine says of a reply, in OpenAI's words.</summary>
internal static class Replies
{
    /// <summary>A new id.</summary>
    public static string NewId(string prefix) => $"{prefix}-{Guid.NewGuid():N}";

    /// <summary>Why a text ended.</summary>
    public static string Reason(StopReason reason) => reason is StopReason.MaxTokens or StopReason.ContextFull ? "length" : "stop";

    /// <summary>Why a reply ended.</summary>
    public static string Reason(ChatResult result)
    {
        string reason = Reason(result.Generation.Reason);
        return reason == "stop" && result.Message.ToolCalls.Count > 0 ? "tool_calls" : reason;
    }

    /// <summary>A call of a reply.</summary>
    /// <param name="call">The call.</param>
    /// <param name="index">Its number, in a stream; else null.</param>
    public static CallEntry Call(ToolCall call, int? index = null) => new(index, call.Id, "function", new CallFunction(call.Name, call.Arguments));

    /// <summary>Tokens of answers to one prompt.</summary>
    public static Usage Usage(IReadOnlyList<GenerationResult> results, int reasoning) =>
        Usage(results[0].PromptTokens, results[0].CachedTokens, results.Sum(r => r.Ids.Count), reasoning);

    /// <summary>Tokens.</summary>
    public static Usage Usage(int prompt, int cached, int written, int? reasoning) =>
        new(prompt, written, prompt + written, new PromptDetails(cached), reasoning is { } tokens ? new CompletionDetails(tokens) : null);

    /// <summary>Probabilities of a reply, where they were asked for.</summary>
    public static LogProbList? LogProbs(GenerationResult result, bool wanted, Tokenizer tokenizer) =>
        wanted ? new LogProbList([.. result.LogProbs.Select(token => Entry(token, tokenizer))]) : null;

    /// <summary>Text of a token; what is no UTF-8 is marked as such.</summary>
    public static string TextOf(int id, Tokenizer tokenizer) => tokenizer.IsSpecial(id)
        ? tokenizer.TokenText(id) : System.Text.Encoding.UTF8.GetString(tokenizer.TokenBytes(id));

    private static LogProbEntry Entry(AnswerToken token, Tokenizer tokenizer) =>
        Entry(token.Chosen, tokenizer) with { TopLogprobs = [.. token.Likeliest.Select(other => Entry(other, tokenizer))] };

    private static LogProbEntry Entry(TokenLogProb token, Tokenizer tokenizer) => new(
        TextOf(token.Id, tokenizer), Math.Max(token.LogProb, -9999f), [.. tokenizer.TokenBytes(token.Id).ToArray().Select(b => (int)b)], null);
}
