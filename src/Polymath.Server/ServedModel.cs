using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Text;
using System.Threading.Channels;
using Polymath.Chat;
using Polymath.Generation;
using Polymath.Generation.Batching;
using Polymath.Generation.Constraints;
using Polymath.Server.Wire;

namespace Polymath.Server;

/// <summary>A part of a reply, as the endpoints send it: a piece of reasoning or answer, or a whole call.</summary>
/// <param name="Text">The piece of text; empty with a call.</param>
/// <param name="IsReasoning">Whether the text is reasoning.</param>
/// <param name="Call">The call, or null.</param>
internal readonly record struct ReplyPiece(string Text, bool IsReasoning = false, ToolCall? Call = null);

/// <summary>The model that all endpoints share: starts replies, and says in HTTP's terms why one cannot be.</summary>
internal sealed class ServedModel(ChatModel chat, ServerOptions options, ServerMetrics metrics)
{
    /// <summary>The schema of any JSON object.</summary>
    public const string AnyObject = """{"type": "object"}""";

    private const int KeptGrammars = 64;

    private readonly Dictionary<string, Grammar> _grammars = new(StringComparer.Ordinal);   // under its own lock
    private readonly Queue<string> _oldest = new();

    /// <summary>The model.</summary>
    public ChatModel Chat => chat;

    /// <summary>What it is called.</summary>
    public string Name => options.ModelName;

    /// <summary>Tokens of its vocabulary.</summary>
    public int Vocabulary => chat.Model.Settings.Vocabulary;

    /// <summary>When the server took it.</summary>
    public DateTimeOffset Created { get; } = DateTimeOffset.UtcNow;

    /// <summary>True once the server takes no more requests.</summary>
    public bool IsDraining { get; set; }

    /// <summary>Starts <paramref name="count"/> replies to one request.</summary>
    /// <exception cref="ApiException">The request asks for what cannot be done.</exception>
    /// <exception cref="EngineBusyException">Too many requests wait.</exception>
    public ChatReply[] Start(ChatRequest request, int count, CancellationToken cancellation) => Refusing(() =>
    {
        var replies = new ChatReply[count];
        for (int i = 0; i < count; i++)
            replies[i] = chat.Start(request with { Generation = SamplingFields.Numbered(request.Generation, i) }, cancellation);
        return replies;
    });

    /// <summary>Starts to go on with a prompt.</summary>
    /// <inheritdoc cref="Start(ChatRequest, int, CancellationToken)"/>
    public PendingAnswer Start(int[] prompt, GenerationOptions generation, string caller, CancellationToken cancellation) =>
        Refusing(() => chat.Engine.Start(prompt, generation, caller, cancellation));

    /// <summary>Runs what checks a request; what it refuses is the request's fault.</summary>
    public static T Refusing<T>(Func<T> check)
    {
        try
        {
            return check();
        }
        catch (ArgumentException e)
        {
            bool isPrompt = e.ParamName == "prompt";
            throw new ApiException(400, Failures.MessageOf(e)) { Field = isPrompt ? "messages" : null, Code = isPrompt ? "context_length_exceeded" : null };
        }
    }

    /// <summary>The grammar of a schema; those that were asked for lately are kept, with what the vocabulary makes of them.</summary>
    /// <param name="schema">JSON text.</param>
    /// <param name="field">The field it is from.</param>
    /// <exception cref="ApiException">It cannot be honoured.</exception>
    public Grammar GrammarOf(string schema, string field)
    {
        lock (_grammars)
        {
            if (_grammars.TryGetValue(schema, out Grammar? known))
                return known;
        }

        Grammar grammar;
        try
        {
            grammar = Grammar.JsonSchema(schema);
        }
        catch (ConstraintException e)
        {
            throw ApiException.Wrong(field, e.Message);
        }

        lock (_grammars)
        {
            if (_grammars.TryAdd(schema, grammar))
                _oldest.Enqueue(schema);
            if (_grammars.Count > KeptGrammars)
                _grammars.Remove(_oldest.Dequeue());
        }

        return grammar;
    }

    /// <summary>
    /// The pieces of replies that are written at the same time, each with the number of its reply; in order for each of
    /// them. Calls come when they are whole, so that none has to be taken back.
    /// </summary>
    public async IAsyncEnumerable<(int Number, ReplyPiece Piece)> ReadAsync(
        ChatReply[] replies, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var pieces = Channel.CreateUnbounded<(int, ReplyPiece)>(new UnboundedChannelOptions { SingleReader = true });
        Task all = Task.WhenAll(replies.Select((reply, number) => PumpAsync(reply, piece => pieces.Writer.TryWrite((number, piece)))));
        _ = all.ContinueWith(done => pieces.Writer.TryComplete(done.Exception?.InnerException), TaskScheduler.Default);
        await foreach ((int, ReplyPiece) piece in pieces.Reader.ReadAllAsync(cancellation).ConfigureAwait(false))
            yield return piece;
        foreach (ChatReply reply in replies)
            Check(reply.Result.Generation);
    }

    /// <summary>The whole replies.</summary>
    public async Task<ChatResult[]> ReadToEndAsync(ChatReply[] replies, CancellationToken cancellation)
    {
        await foreach ((int, ReplyPiece) _ in ReadAsync(replies, cancellation).ConfigureAwait(false))
        {
        }

        return [.. replies.Select(reply => reply.Result)];
    }

    /// <summary>The pieces of an answer.</summary>
    public async IAsyncEnumerable<string> ReadAsync(PendingAnswer answer)
    {
        long since = Stopwatch.GetTimestamp();
        bool first = true;
        await foreach (string piece in answer.Pieces.ConfigureAwait(false))
        {
            since = metrics.Piece(since, first);
            first = false;
            yield return piece;
        }

        Check(await answer.Result.ConfigureAwait(false));
    }

    /// <summary>A reply that was cancelled although its reader is still there was cancelled by the server.</summary>
    private static void Check(GenerationResult result)
    {
        if (result.Reason == StopReason.Cancelled)
            throw new ApiException(503, "the server is stopping");
    }

    private async Task PumpAsync(ChatReply reply, Action<ReplyPiece> found)
    {
        long since = Stopwatch.GetTimestamp();
        bool first = true;
        string id = "", name = "";
        var arguments = new StringBuilder();
        await foreach (ChatDelta delta in reply.ReadAsync().ConfigureAwait(false))
        {
            since = metrics.Piece(since, first);
            first = false;
            switch (delta.Part)
            {
                case ReplyPart.CallBegun:
                    (id, name) = (delta.Id!, delta.Name!);
                    arguments.Clear();
                    break;
                case ReplyPart.CallArguments:
                    arguments.Append(delta.Text);
                    break;
                case ReplyPart.CallDone:
                    found(new ReplyPiece("", Call: new ToolCall(id, name, arguments.ToString())));
                    name = "";
                    break;
                case ReplyPart.Malformed when name.Length > 0 && delta.Call >= 0:
                    found(new ReplyPiece($"{name} {arguments}{delta.Text}"));
                    name = "";
                    break;
                default:
                    found(new ReplyPiece(delta.Text, delta.Part == ReplyPart.Reasoning));
                    break;
            }
        }
    }
}
