using Polymath.Chat;
using Polymath.Generation.Batching;
using Polymath.Models;

namespace Polymath.Cli.Chat;

/// <summary>Opens models for conversations, with the checks every command wants.</summary>
internal static class Chats
{
    /// <summary>Loads a model for <paramref name="texts"/> conversations at a time. The chat owns the engine, the caller both.</summary>
    /// <exception cref="InvalidOperationException">It will not fit into memory, or the model has no such cache.</exception>
    public static (Model Model, ChatModel Chat) Open(string path, int threads, SessionOptions session, Terminal terminal, int texts = 1)
    {
        Model model = Sessions.Load(path, threads, _ => session, terminal);
        try
        {
            return (model, new ChatModel(model, new EngineOptions
            {
                MaxTexts = texts,
                ContextLength = session.ContextLength,
                KeyFormat = session.KeyFormat,
                ValueFormat = session.ValueFormat,
            }));
        }
        catch (Exception e)
        {
            model.Dispose();
            if (e is ArgumentException)
                throw new InvalidOperationException(e.Message, e);
            throw;
        }
    }
}
