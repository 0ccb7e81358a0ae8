using System.Text;

namespace Polymath.Chat;

/// <summary>Puts the parts of a reply together: <see cref="Add"/> is the sink of a parser. What is malformed becomes part of the answer.</summary>
public sealed class ReplyBuilder
{
    private readonly StringBuilder _content = new(), _reasoning = new(), _arguments = new();
    private readonly List<ToolCall> _calls = [];
    private string _id = "", _name = "";

    /// <summary>True once the reply is over.</summary>
    public bool IsComplete { get; private set; }

    /// <summary>True when something that should have been a call was none.</summary>
    public bool HasMalformed { get; private set; }

    /// <summary>Takes the next part.</summary>
    public void Add(ReplyEvent found)
    {
        switch (found.Part)
        {
            case ReplyPart.Content:
                _content.Append(found.Text);
                break;
            case ReplyPart.Reasoning:
                _reasoning.Append(found.Text);
                break;
            case ReplyPart.CallBegun:
                (_id, _name) = (found.Id!, found.Name!);
                _arguments.Clear();
                break;
            case ReplyPart.CallArguments:
                _arguments.Append(found.Text);
                break;
            case ReplyPart.CallDone:
                _calls.Add(new ToolCall(_id, _name, _arguments.ToString()));
                _name = "";
                break;
            case ReplyPart.Malformed:
                AddMalformed(found);
                break;
            default:
                IsComplete = true;
                break;
        }
    }

    /// <summary>The message so far.</summary>
    public ChatMessage ToMessage() => ChatMessage.Assistant(_content.ToString(), _reasoning.ToString(), _calls);

    private void AddMalformed(ReplyEvent found)
    {
        HasMalformed = true;
        if (found.Call >= 0 && _name.Length > 0)
        {
            // The call had begun: what was passed on of it is part of what went wrong.
            _content.Append(_name).Append(' ').Append(_arguments);
            _name = "";
        }

        _content.Append(found.Text);
    }
}
